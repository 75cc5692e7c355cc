"""Whose latencies rank networks best at equal phone time? Our protocol, Archai's 5 × 50 mean, a plain median of 100.

Run: python -m benchmarks.measurement_protocol [SEEDS]. No phone: the noisy phone of `device_agents/noisy_phone`, in
three regimes, alone and as one of three of a class. 200 networks of 5 to 50 ms, log-uniform, in random order. Ours is
the product's own code: gate, `Measurement`, one repetition where it is noisy. All of its time counts: starts of the
runner, warm-up, reference, rest, waiting at the gate. The others have the same phones (same seeds) and per network as
long as ours takes on average: they repeat theirs and average. As their users run them they take less time: that is
shown too. A rank error is a pair of networks in the wrong order whose true latencies differ by 3 % or more.

Prints medians and ranges over seeds; draws docs/measurement_protocol.png.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt

from device_agents.conditions import Conditions, Limits, obstacle
from device_agents.measurement import Measurement
from device_agents.noisy_phone import NO_LINK, REGIMES, Network, NoisyPhone, NoisyRuntime, Regime
from device_agents.runtimes import InstalledNetwork
from device_agents.usual_pace import UsualPace
from device_agents.watch import Watch
from paretofarm.errors import PhoneOverheated, Unavailable
from paretofarm.latency import LatencySummary
from paretofarm.lifecycle import MAX_NOISY_ATTEMPTS
from paretofarm.runtimes import OnnxRuntimeMeasurement

matplotlib.use("Agg")

NETWORKS = 200
RANKED_GAP = 0.03
SETTINGS = OnnxRuntimeMeasurement(runtime="onnxruntime")
REFERENCE = Network(4.0)
GATE_S = 2.0
START_S = 0.4
ARCHAI_RUNS, ARCHAI_INFERENCES, ARCHAI_SPREAD, ARCHAI_TRIES = 5, 50, 0.05, 3
PICTURE = Path(__file__).parents[1] / "docs" / "measurement_protocol.png"

Values = npt.NDArray[np.float64]


@dataclass
class Farm:
    """Phones of one class and networks to measure on them, the same for each protocol of a seed."""

    networks: Sequence[Network]
    order: Sequence[int]
    phones: Sequence[NoisyPhone]

    @property
    def seconds_per_network(self) -> float:
        return sum(phone.now_s for phone in self.phones) / len(self.networks)

    @property
    def true_ms(self) -> Values:
        return np.array([network.true_ms for network in self.networks])


def farm(regime: Regime, seed: int, phones: int) -> Farm:
    rng = np.random.default_rng([seed, 1])
    true_ms = np.exp(rng.uniform(np.log(5), np.log(50), NETWORKS))
    networks = [Network(float(ms), float(rng.uniform(0.6, 1.0)), float(rng.uniform(0.5, 1.3))) for ms in true_ms]
    order = [int(number) for number in rng.permutation(NETWORKS)]
    return Farm(
        networks, order, [NoisyPhone(regime, np.random.default_rng([seed, 2, number])) for number in range(phones)]
    )


class Ours:
    """As an agent works: one usual pace per phone, one baseline for the class."""

    def __init__(self, farm: Farm) -> None:
        self.baseline_ms: float | None = None
        self._farm = farm
        self._paces = [UsualPace() for _ in farm.phones]

    def measure_all(self) -> list[LatencySummary]:
        found: dict[int, LatencySummary] = {}
        for turn, number in enumerate(self._farm.order):
            found[number] = self._until_steady(turn % len(self._farm.phones), self._farm.networks[number])
        return [found[number] for number in range(len(found))]

    def _until_steady(self, place: int, network: Network) -> LatencySummary:
        """As evaluations are repeated: where it was noisy once, and as often as the phone got too hot meanwhile."""
        failures = 0
        while True:
            try:
                summary = self._measure(self._farm.phones[place], self._paces[place], network)
            except PhoneOverheated:
                failures += 1
                continue
            if not summary.noisy or failures + 1 >= MAX_NOISY_ATTEMPTS:
                return summary
            failures += 1

    def _measure(self, phone: NoisyPhone, pace: UsualPace, network: Network) -> LatencySummary:
        while _judge(phone.conditions()) is not None:
            phone.idle(GATE_S)
        watch = Watch(phone.conditions, _judge, phone.idle, phone.conditions())
        measurement = Measurement(
            link=NO_LINK,
            runtime=NoisyRuntime(phone, SETTINGS, {"candidate": network, "reference": REFERENCE}),
            settings=SETTINGS,
            network=InstalledNetwork(Path("candidate"), "candidate"),
            reference=InstalledNetwork(Path("reference"), "reference"),
            folder="job",
            disturbance=watch.disturbance,
            rest=watch.pause,
        )
        usual_ms = pace.at_rest("protocol", measurement.reference_pace_ms)
        self.baseline_ms = self.baseline_ms or usual_ms
        summary = measurement.run(self.baseline_ms, usual_ms, lambda share: None).summary
        pace.note("protocol", summary.reference_ms)
        return summary


def _judge(conditions: Conditions) -> Unavailable | None:
    return obstacle(conditions, Limits())


def run_once(phone: NoisyPhone, network: Network, inferences: int) -> Values:
    phone.idle(START_S)
    return np.array(phone.run(network, inferences))


def archai(phone: NoisyPhone, network: Network, seconds: float | None) -> float:
    """The mean of 5 runs of 50; again, up to three times, where the runs differ by 5 % or more. Given time: of all."""
    until = phone.now_s + (seconds or 0.0)
    values: list[float] = []
    while True:
        runs = [float(run_once(phone, network, ARCHAI_INFERENCES).mean()) for _ in range(ARCHAI_RUNS)]
        values.append(float(np.mean(runs)))
        if seconds is not None:
            if phone.now_s >= until:
                return float(np.mean(values))
        elif np.std(runs) / values[-1] < ARCHAI_SPREAD or len(values) == ARCHAI_TRIES:
            return values[-1]


def plain_median(phone: NoisyPhone, network: Network, seconds: float | None) -> float:
    """The median of 100 inferences; given time, the median of as many such medians as fit."""
    until = phone.now_s + (seconds or 0.0)
    values: list[float] = []
    while not values or (seconds is not None and phone.now_s < until):
        values.append(float(np.median(run_once(phone, network, 100))))
    return float(np.median(values))


Rival = Callable[[NoisyPhone, Network, float | None], float]
RIVALS: Mapping[str, Rival] = {"Archai 5×50": archai, "median of 100": plain_median}


@dataclass(frozen=True)
class Outcome:
    """Of one protocol on one farm. scatter: standard deviation of log(measured / true), its mean taken out."""

    errors: int
    scatter: float
    seconds: float
    covered: float | None = None
    noisy: float | None = None


def rank_errors(true_ms: Values, measured_ms: Values) -> int:
    true, measured = (np.subtract.outer(np.log(values), np.log(values)) for values in (true_ms, measured_ms))
    return int(((true >= np.log(1 + RANKED_GAP)) & (measured < 0)).sum())


def judge_ours(farm: Farm) -> Outcome:
    ours = Ours(farm)
    summaries = ours.measure_all()
    truth = farm.true_ms / REFERENCE.true_ms * (ours.baseline_ms or 0.0)
    held = [summary.low_ms <= ms <= summary.high_ms for summary, ms in zip(summaries, truth, strict=True)]
    return _outcome(
        farm,
        [summary.latency_ms for summary in summaries],
        covered=float(np.mean(held)),
        noisy=float(np.mean([summary.noisy for summary in summaries])),
    )


def judge_rival(farm: Farm, rival: Rival, seconds: float | None) -> Outcome:
    measured: dict[int, float] = {}
    for turn, number in enumerate(farm.order):
        measured[number] = rival(farm.phones[turn % len(farm.phones)], farm.networks[number], seconds)
    return _outcome(farm, [measured[number] for number in range(len(measured))])


def _outcome(farm: Farm, measured: Sequence[float], **more: float) -> Outcome:
    values = np.array(measured)
    scatter = float(np.std(np.log(values / farm.true_ms)))
    return Outcome(rank_errors(farm.true_ms, values), scatter, farm.seconds_per_network, **more)


def compare(regime: Regime, seed: int, phones: int) -> dict[str, Outcome]:
    """Ours, then each rival as its users run it and at equal time."""
    ours = judge_ours(farm(regime, seed, phones))
    found = {"ours": ours}
    for name, rival in RIVALS.items():
        found[name] = judge_rival(farm(regime, seed, phones), rival, None)
        found[f"{name}, equal time"] = judge_rival(farm(regime, seed, phones), rival, ours.seconds)
    return found


def main(seeds: int = 5) -> None:
    found: dict[tuple[str, int], list[dict[str, Outcome]]] = {}
    for regime in REGIMES.values():
        for phones in (1, 3):
            runs = [compare(regime, seed, phones) for seed in range(seeds)]
            found[regime.name, phones] = runs
            _print(regime.name, phones, runs)
    _draw(found)


def _print(regime: str, phones: int, runs: Sequence[Mapping[str, Outcome]]) -> None:
    print(f"{regime}, {phones} phone{'s' if phones > 1 else ''}: rank errors, scatter, seconds per network", flush=True)
    for name in runs[0]:
        outcomes = [run[name] for run in runs]
        errors = [outcome.errors for outcome in outcomes]
        scatter, seconds = (np.median([getattr(each, field) for each in outcomes]) for field in ("scatter", "seconds"))
        text = f"  {name:26} {np.median(errors):6.0f} ({min(errors)}–{max(errors)})  {scatter:6.2%}  {seconds:5.0f} s"
        print(text + (_honesty(outcomes) if name == "ours" else ""), flush=True)


def _honesty(outcomes: Sequence[Outcome]) -> str:
    covered = [outcome.covered or 0.0 for outcome in outcomes]
    noisy = np.mean([outcome.noisy or 0.0 for outcome in outcomes])
    return f"  covered {np.mean(covered):.1%} ({min(covered):.1%}–{max(covered):.1%}), flagged noisy {noisy:.1%}"


def _draw(found: Mapping[tuple[str, int], Sequence[Mapping[str, Outcome]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    names = ["ours", *(f"{name}, equal time" for name in RIVALS)]
    for place, (name, colour) in enumerate(zip(names, ("#1b7837", "#d95f02", "#7570b3"), strict=True)):
        for column, runs in enumerate(found.values()):
            errors = [max(0.5, run[name].errors) for run in runs]
            left.scatter(
                [column + 0.22 * (place - 1)] * len(errors), errors, color=colour, label=name if not column else None
            )
    left.set_yscale("log")
    left.set_ylabel("rank errors (0 drawn at 0.5)")
    left.set_title(f"Pairs of {NETWORKS} networks in the wrong order, true difference ≥ 3 %, equal phone time", size=9)
    left.legend(fontsize=8)
    _draw_coverage(right, found)
    labels = [f"{regime}\n{phones} phone{'s' if phones > 1 else ''}" for regime, phones in found]
    for axes in (left, right):
        axes.set_xticks(range(len(labels)), labels, fontsize=8)
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})


def _draw_coverage(
    axes: "matplotlib.axes.Axes", found: Mapping[tuple[str, int], Sequence[Mapping[str, Outcome]]]
) -> None:
    for column, runs in enumerate(found.values()):
        covered = [run["ours"].covered or 0.0 for run in runs]
        axes.scatter([column] * len(covered), covered, color="#1b7837")
    axes.axhline(0.93, color="grey", linestyle="--", linewidth=1)
    axes.set_ylim(0.85, 1.005)
    axes.set_title("Share of our 95 % intervals that hold the truth", size=9)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
