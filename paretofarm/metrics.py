"""The metrics a search may be about: their unit, which stage reports them, and what values they can take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Source(StrEnum):
    """The stage that reports a metric."""

    BUILD = "build"
    COMPILE = "compile"
    MEASURE = "measure"
    TRAIN = "train"
    SCORE = "score"


class Goal(StrEnum):
    """Which way is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True)
class Metric:
    """One number that a candidate can have.

    per_device: there is one value per device class, and an objective must say which; unit: empty for pure ratios;
    natural_goal: what users nearly always want; maximum: no value can be greater (nothing is ever negative).
    """

    name: str
    unit: str
    source: Source
    natural_goal: Goal
    maximum: float = math.inf

    @property
    def per_device(self) -> bool:
        return self.source in (Source.COMPILE, Source.MEASURE, Source.SCORE)

    @property
    def trained(self) -> bool:
        """Only a trained network has it."""
        return self.source in (Source.TRAIN, Source.SCORE)


LATENCY = "latency_ms"

_ALL = (
    Metric("parameters", "", Source.BUILD, Goal.MINIMIZE),
    Metric("macs", "", Source.BUILD, Goal.MINIMIZE),
    Metric("network_bytes", "bytes", Source.COMPILE, Goal.MINIMIZE),
    Metric(LATENCY, "ms", Source.MEASURE, Goal.MINIMIZE),
    Metric("latency_p90_ms", "ms", Source.MEASURE, Goal.MINIMIZE),
    Metric("latency_sustained_ms", "ms", Source.MEASURE, Goal.MINIMIZE),
    Metric("load_ms", "ms", Source.MEASURE, Goal.MINIMIZE),
    Metric("peak_memory_bytes", "bytes", Source.MEASURE, Goal.MINIMIZE),
    Metric("miou", "", Source.TRAIN, Goal.MAXIMIZE, maximum=1.0),
    Metric("f1", "", Source.TRAIN, Goal.MAXIMIZE, maximum=1.0),
    Metric("pixel_accuracy", "", Source.TRAIN, Goal.MAXIMIZE, maximum=1.0),
    Metric("accuracy", "", Source.TRAIN, Goal.MAXIMIZE, maximum=1.0),
    Metric("loss", "", Source.TRAIN, Goal.MINIMIZE),
    Metric("device_miou", "", Source.SCORE, Goal.MAXIMIZE, maximum=1.0),
    Metric("device_f1", "", Source.SCORE, Goal.MAXIMIZE, maximum=1.0),
    Metric("device_pixel_accuracy", "", Source.SCORE, Goal.MAXIMIZE, maximum=1.0),
    Metric("device_accuracy", "", Source.SCORE, Goal.MAXIMIZE, maximum=1.0),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})


def source_of(key: str) -> Source:
    """The stage that reports the metric of that key."""
    return METRICS[key.partition("@")[0]].source


def metric_key(name: str, device: str | None) -> str:
    """Under which a candidate's metrics are kept: the name, and the device class where there is one."""
    return name if device is None else f"{name}@{device}"


def rung_key(name: str, epochs: int) -> str:
    """Under which a trained metric is kept as it was after so many epochs in all, e.g. `miou@epochs=3`.

    No device class can have such a name.
    """
    return f"{name}@epochs={epochs}"


def epochs_of(key: str) -> int | None:
    """After how many epochs the value under a key is of, where the key says so."""
    epochs = key.partition("@epochs=")[2]
    return int(epochs) if epochs else None


def trained_counterpart(name: str) -> str:
    """The metric of the training that comes nearest to one that is scored on devices: `miou` for `device_miou`."""
    return name.removeprefix("device_")
