"""Everything about a candidate that somebody needs who has only the exported folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paretofarm.calibration import CalibrationResult
from paretofarm.task import Task


@dataclass(frozen=True)
class NetworkFile:
    """One network of the folder.

    precision: `fp32`, `int8`, …; device: the class it was compiled for, None where it runs anywhere; runs_on: the
    runtime that takes the file; trained: False for random weights, good for timing only; notes: of its compilation.
    calibration: what decided its ranges, where several were compared.
    """

    name: str
    precision: str
    device: str | None
    runs_on: str
    trained: bool
    notes: Mapping[str, Any] = field(default_factory=dict)
    calibration: CalibrationResult | None = None


@dataclass(frozen=True)
class ExportFacts:
    """metrics, intervals (95 %): by key, `name` or `name@device`. simulated: some of them come from a simulated phone.

    task: what the network says of an image. input_size: side of the square image, pixels. class_names: by channel of
    the output; empty where nobody knows. per_class: scores of the last training. dataset: the settings it was trained
    on. recipe: those of its training.
    """

    search: str
    candidate: int
    digest: str
    created: str
    code_version: str
    seed: int
    architecture: Mapping[str, Any]
    metrics: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]
    noisy_devices: Sequence[str]
    simulated_devices: Sequence[str]
    networks: Sequence[NetworkFile]
    missing: Sequence[str]
    task: Task
    input_size: int
    class_names: Sequence[str]
    per_class: Mapping[str, Mapping[str, float] | None]
    recipe: Mapping[str, Any]
    measurement: Mapping[str, Any]

    @property
    def runnable(self) -> NetworkFile | None:
        """What the example runs: an ONNX network with trained weights, quantized rather than not; else any ONNX."""
        onnx = [network for network in self.networks if network.name.endswith(".onnx")]
        return min(onnx, key=lambda network: (not network.trained, network.precision == "fp32"), default=None)

    def to_dict(self) -> dict[str, Any]:
        """`network.json`, which the example reads and scripts may."""
        return {
            "format": 1,
            "search": self.search,
            "candidate": self.candidate,
            "digest": self.digest,
            "created": self.created,
            "architecture": self.architecture,
            "metrics": dict(self.metrics),
            "intervals": {key: list(pair) for key, pair in self.intervals.items()},
            "simulated_devices": list(self.simulated_devices),
            "noisy_devices": list(self.noisy_devices),
            "input": {"shape": [1, 3, self.input_size, self.input_size], "layout": "NCHW", "range": [0, 1]},
            "task": self.task.value,
            "class_names": list(self.class_names),
            "networks": [
                {
                    "file": network.name,
                    "precision": network.precision,
                    "device": network.device,
                    "runs_on": network.runs_on,
                    "trained": network.trained,
                    "calibration": network.calibration and network.calibration.to_dict(),
                }
                for network in self.networks
            ],
            "run": self.runnable.name if self.runnable else None,
        }
