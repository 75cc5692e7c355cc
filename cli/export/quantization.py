"""Quantizes a trained network that the search never compiled: most candidates are measured with random weights."""

from pathlib import Path

from db.artifacts import ArtifactStore
from db.exports import TRAINED, Export
from paretofarm.calibration import CalibrationResult
from paretofarm.errors import ConfigError, ParetofarmError
from paretofarm.export import NetworkFile
from paretofarm.runtimes import MeasurementSettings, OnnxRuntimeMeasurement
from paretofarm.settings import Settings

NAME = "network.int8.onnx"


def quantize(export: Export, store: ArtifactStore, settings: Settings, folder: Path) -> tuple[NetworkFile, Path]:
    """An int8 ONNX of the trained weights, for any device that onnxruntime runs on.

    Calibrated with the data set's calibration split, as the search would have it. Errors: ConfigError where this host
    has no data set or lacks the extra `worker`; ConversionFailed.
    """
    try:
        from workers.jobs import compile_trained
    except ImportError as error:
        raise ConfigError(f"the extra `worker` is not installed here ({error})") from error
    training, measurement = export.experiment.training, export.experiment.measurement
    assert training and training.dataset, "a candidate with trained weights was trained on a data set"
    source = next(artifact for artifact in export.artifacts.values() if artifact.kind == TRAINED)
    compiled = compile_trained(
        {
            "onnx": str(store.fetch(source)),
            "measurement": _settings(measurement).model_dump(mode="json"),
            "device": "any",
            "dataset": training.dataset.model_dump(mode="json"),
            "cache": str(settings.cache),
            "out": str(folder),
        },
        lambda message: None,
    )
    notes = {"int8_agreement": compiled["notes"]["int8_agreement"]}
    calibration = CalibrationResult.from_dict(compiled["notes"]["calibration"])
    network = NetworkFile(NAME, "int8", None, "onnxruntime 1.20 or newer", True, notes, calibration)
    return network, Path(compiled["network"])


def _settings(measurement: MeasurementSettings | None) -> OnnxRuntimeMeasurement:
    """What the search says of quantization; the images that nobody scores it on now are few."""
    ours = OnnxRuntimeMeasurement(runtime="onnxruntime", test_images=1)
    if measurement is None:
        return ours
    shared = ("calibration_images", "calibration", "layer_sensitivity")
    return ours.model_copy(update={name: getattr(measurement, name) for name in shared})


def why_not(error: ParetofarmError) -> str:
    """For the user and the model card."""
    return f"no int8 network with trained weights: {error}"
