"""Quantizes a trained network that the search never compiled: most candidates are measured with random weights."""

from pathlib import Path

from db.artifacts import ArtifactStore
from db.exports import TRAINED, Export
from paretofarm.errors import ConfigError, ParetofarmError
from paretofarm.export import NetworkFile
from paretofarm.runtimes import OnnxRuntimeMeasurement
from paretofarm.settings import Settings

NAME = "network.int8.onnx"


def quantize(export: Export, store: ArtifactStore, settings: Settings, folder: Path) -> tuple[NetworkFile, Path]:
    """An int8 ONNX of the trained weights, for any device that onnxruntime runs on.

    Calibrated with the data set's calibration split. Errors: ConfigError where this host has no data set or lacks the
    extra `worker`; ConversionFailed.
    """
    try:
        from workers.jobs import compile_network
    except ImportError as error:
        raise ConfigError(f"the extra `worker` is not installed here ({error})") from error
    training, measurement = export.experiment.training, export.experiment.measurement
    assert training and training.dataset, "a candidate with trained weights was trained on a data set"
    images = measurement.calibration_images if measurement else 64
    source = next(artifact for artifact in export.artifacts.values() if artifact.kind == TRAINED)
    compiled = compile_network(
        {
            "onnx": str(store.fetch(source)),
            "measurement": OnnxRuntimeMeasurement(runtime="onnxruntime", calibration_images=images).model_dump(),
            "device": "any",
            "dataset": training.dataset.model_dump(mode="json"),
            "cache": str(settings.cache),
            "out": str(folder),
        },
        lambda message: None,
    )
    notes = {name: value for name, value in compiled["notes"].items() if isinstance(value, int | float)}
    network = NetworkFile(NAME, "int8", None, "onnxruntime 1.20 or newer", trained=True, notes=notes)
    return network, Path(compiled["network"])


def why_not(error: ParetofarmError) -> str:
    """For the user and the model card."""
    return f"no int8 network with trained weights: {error}"
