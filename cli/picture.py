"""What a picture of a search shows, as data: axes, points and words. `cli/plot.py` draws it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.front import Front
from db.reported import ReportedCandidate
from paretofarm.lifecycle import CandidateStatus
from paretofarm.metrics import METRICS, Goal
from paretofarm.objective import Objective, cost_first

LABELS: Mapping[str, str] = {
    "parameters": "parameters",
    "macs": "multiply-accumulates",
    "network_bytes": "network size",
    "latency_ms": "latency",
    "latency_p90_ms": "latency, 90th percentile",
    "miou": "mean IoU",
    "f1": "F1",
    "pixel_accuracy": "pixel accuracy",
    "accuracy": "accuracy",
    "loss": "loss",
    "device_miou": "mean IoU",
    "device_f1": "F1",
    "device_pixel_accuracy": "pixel accuracy",
    "device_accuracy": "accuracy",
}


@dataclass(frozen=True)
class Axis:
    """One objective. `label` has the unit."""

    key: str
    label: str
    goal: Goal

    @classmethod
    def of(cls, objective: Objective) -> "Axis":
        name = LABELS.get(objective.name, objective.name)
        unit = METRICS[objective.name].unit
        on = f" on {objective.device}" if objective.device else ""
        return cls(objective.key, f"{name}{on} ({unit})" if unit else f"{name}{on}", objective.goal)

    @property
    def name(self) -> str:
        """The metric's plain name."""
        return self.key.partition("@")[0]


@dataclass(frozen=True)
class Dot:
    """A complete candidate. values, intervals (95 %): by metric key; number: its place in the order of proposals."""

    id: int
    number: int
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    on_front: bool
    simulated: bool
    noisy: bool


@dataclass(frozen=True)
class Picture:
    """A search's candidates in objective space. counts: candidates by status; tabular: nothing was trained or timed."""

    search: str
    device: str | None
    axes: tuple[Axis, ...]
    dots: tuple[Dot, ...]
    counts: Mapping[str, int]
    tabular: bool = False

    @property
    def simulated(self) -> bool:
        return any(dot.simulated for dot in self.dots)

    @property
    def front(self) -> tuple[Dot, ...]:
        return tuple(dot for dot in self.dots if dot.on_front)

    @property
    def title(self) -> str:
        if self.device is None:
            return self.search
        return f"{self.search}: measured on {self.device}{' (simulated phone)' if self.simulated else ''}"

    @property
    def caption(self) -> str:
        """Who is not in the picture, and what it means."""
        counts = Counter(self.counts)
        complete = counts.pop("complete", 0)
        others = [f"{count} {status}" for status, count in sorted(counts.items()) if count]
        noisy = sum(dot.noisy for dot in self.dots)
        parts = [f"{complete} complete candidates" if complete != 1 else "1 complete candidate"]
        parts += [f"not shown: {', '.join(others)}"] if others else []
        parts += (
            [f"hollow: {noisy} noisy measurements" if noisy != 1 else "hollow: 1 noisy measurement"] if noisy else []
        )
        if any(dot.intervals for dot in self.dots):
            parts.append("bars: 95 % confidence intervals")
        if self.tabular:
            parts.append("simulated: looked up in a table of earlier trainings and measurements")
        elif self.simulated:
            parts.append("simulated phone: real timings, but of this computer's processor")
        return " · ".join(parts)


def order_axes(objectives: Sequence[Objective]) -> tuple[Axis, ...]:
    """x, y and, with three objectives, colour: cost to the right, quality upwards, as people expect to see a front."""
    return tuple(Axis.of(objective) for objective in cost_first(objectives))


def draw_up(
    search: str,
    front: Front,
    everybody: Sequence[ReportedCandidate],
    counts: Mapping[CandidateStatus, int],
    *,
    tabular: bool = False,
) -> Picture:
    """The picture of a search: its complete candidates that have all objectives of the front's device class."""
    axes = order_axes(front.objectives)
    members = {member.id for member in front.members}
    dots = [
        _dot(candidate, axes, on_front=candidate.id in members)
        for candidate in everybody
        if _can_be_drawn(candidate, axes)
    ]
    by_status = {status.value: count for status, count in counts.items()}
    return Picture(search, front.device, axes, tuple(dots), by_status, tabular)


def _can_be_drawn(candidate: ReportedCandidate, axes: Sequence[Axis]) -> bool:
    return candidate.status is CandidateStatus.COMPLETE and all(axis.name in candidate.metrics for axis in axes)


def _dot(candidate: ReportedCandidate, axes: Sequence[Axis], *, on_front: bool) -> Dot:
    return Dot(
        id=candidate.id,
        number=candidate.number,
        values={axis.key: candidate.metrics[axis.name] for axis in axes},
        intervals={axis.key: candidate.intervals[axis.name] for axis in axes if axis.name in candidate.intervals},
        on_front=on_front,
        simulated=candidate.simulated,
        noisy=candidate.noisy,
    )
