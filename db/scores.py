"""How good a candidate is on device classes, beside what the same network scores in float32 on the same images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from paretofarm.lifecycle import Stage, Step
from paretofarm.metrics import METRICS, Source, metric_key


@dataclass(frozen=True)
class ReportedScore:
    """on_device, in_float: by plain name (`miou`); in_float is empty where nobody kept it. images: of the test set.

    simulated: taken on a virtual phone or by a simulator.
    """

    device: str
    phone: str
    runtime: str
    simulated: bool
    images: int
    on_device: Mapping[str, float]
    in_float: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float] | None]


def scores(details: Mapping[Step, Mapping[str, Any]], metrics: Mapping[str, float]) -> tuple[ReportedScore, ...]:
    """From what a candidate's finished evaluations keep, and from its metrics by key."""
    return tuple(
        ReportedScore(
            device=step.device,
            phone=kept["phone"],
            runtime=kept["runtime"],
            simulated=kept["simulated"],
            images=kept["images"],
            on_device=_on_device(metrics, step.device),
            in_float=details.get(replace(step, stage=Stage.COMPILE), {}).get("float_scores", {}),
            per_class=kept["per_class"],
        )
        for step, kept in details.items()
        if step.stage is Stage.SCORE and step.device is not None
    )


def _on_device(metrics: Mapping[str, float], device: str) -> dict[str, float]:
    names = [name for name, metric in METRICS.items() if metric.source is Source.SCORE]
    known = {name: metrics.get(metric_key(name, device)) for name in names}
    return {name.removeprefix("device_"): value for name, value in known.items() if value is not None}
