"""Prints one candidate for people."""

from collections.abc import Iterator, Sequence

import click
from rich import box
from rich.table import Table

from cli.calibration_words import calibration_words
from cli.measured_words import measured_words
from cli.tables import print_facts, print_table
from cli.words import count_text, duration, heading, interval_text, metric_text
from db.artifact import CandidateArtifact
from db.reports import CandidateDetail, Parent, ReportedMeasurement, ReportedScore
from paretofarm.metrics import METRICS, epochs_of

SHOWN_CHANGES = 8
SPARKS = "▁▂▃▄▅▆▇█"


def print_candidate(detail: CandidateDetail) -> None:
    """Facts, metrics, lineage, evaluations, measurements, quantization, scores, training and artifacts, if any."""
    print_facts(dict(_facts(detail)), title=f"candidate {detail.id} of {detail.search}")
    click.echo()
    print_facts(dict(_metrics(detail)), title="metrics")
    for parent in detail.parents:
        click.echo()
        print_facts(dict(_changes(parent)), title=f"differs from parent {parent.id} in {len(parent.changes)} choices")
    _print_evaluations(detail)
    for measurement in detail.measurements:
        where = f"{measurement.device}{' (simulated phone)' if measurement.simulated else ''}"
        print_facts(dict(_measurement(measurement)), title=f"measured on {where}")
        click.echo()
    for device, calibration in detail.calibrations.items():
        images = count_text(calibration.images, "validation image")
        print_facts(
            dict(calibration_words(calibration)),
            title=f"quantized for {device}, tried on the compiling host with {images}",
        )
        click.echo()
    for score in detail.scores:
        where = f"{score.device}{' (simulated)' if score.simulated else ''}"
        print_facts(dict(_score(score)), title=f"accuracy on {where}, {count_text(score.images, 'test image')}")
        click.echo()
    _print_training(detail)
    _print_artifacts(detail)
    click.echo(f"architecture and all numbers: paretofarm candidate {detail.id} --json")


def _facts(detail: CandidateDetail) -> Iterator[tuple[str, str]]:
    yield "status", f"{detail.status}{': ' + detail.reason if detail.reason else ''}"
    yield (
        "origin",
        detail.origin + (f" of {', '.join(str(parent.id) for parent in detail.parents)}" if detail.parents else ""),
    )
    yield "digest", detail.digest
    yield "architecture", f"{detail.architecture.space}, {len(detail.architecture.choices)} choices"


def _metrics(detail: CandidateDetail) -> Iterator[tuple[str, str]]:
    order = list(METRICS)
    for key, value in sorted(
        detail.metrics.items(), key=lambda item: (order.index(item[0].partition("@")[0]), item[0])
    ):
        interval = detail.intervals.get(key)
        epochs = epochs_of(key)
        device = None if epochs else key.partition("@")[2]
        text = interval_text(key, value, (interval[0], interval[1]) if interval else None)
        simulated = " (simulated)" if device in _simulated_devices(detail) else ""
        place = f" on {device}{simulated}" if device else f" after {count_text(epochs, 'epoch')}" if epochs else ""
        yield f"{heading(key)}{place}", text


def _simulated_devices(detail: CandidateDetail) -> set[str]:
    measured = {measurement.device for measurement in detail.measurements if measurement.simulated}
    return measured | {score.device for score in detail.scores if score.simulated}


def _changes(parent: Parent) -> Iterator[tuple[str, str]]:
    for name, (before, after) in list(parent.changes.items())[:SHOWN_CHANGES]:
        yield name, f"{'-' if before is None else before} → {'-' if after is None else after}"
    if len(parent.changes) > SHOWN_CHANGES:
        yield "…", f"{len(parent.changes) - SHOWN_CHANGES} more"


def _print_evaluations(detail: CandidateDetail) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("evaluation", "step", "status", "attempt", "time", "by", "reason"):
        table.add_column(name, overflow="fold" if name == "reason" else "ellipsis")
    for work in detail.evaluations:
        time = "" if work.duration_s is None else duration(work.duration_s)
        reason = ": ".join(part for part in (work.code, work.reason) if part)
        table.add_row(str(work.id), str(work.step), work.status, str(work.attempt), time, work.owner or "", reason)
    print_table(table, less_important=["by", "attempt", "time", "evaluation"])


def _measurement(measurement: ReportedMeasurement) -> Iterator[tuple[str, str]]:
    summary = measurement.summary
    yield "phone", f"{measurement.phone}{' (simulated)' if measurement.simulated else ''}, {measurement.runtime}"
    low, high = summary["low_ms"], summary["high_ms"]
    noisy = ", noisy" if summary["noisy"] else ""
    yield "latency_ms", f"{interval_text('latency_ms', summary['latency_ms'], (low, high))}{noisy}"
    yield (
        "raw, p90, minimum",
        ", ".join(f"{summary[name]:.4g} ms" for name in ("raw_latency_ms", "p90_ms", "minimum_ms")),
    )
    yield (
        "samples",
        f"{summary['inferences']} in {count_text(summary['blocks'], 'block')} used; "
        f"{count_text(summary['discarded'], 'block')} did not count",
    )
    yield "reference network", f"{summary['reference_ms']:.4g} ms, {summary['reference_ratio']:.3f} of its first pace"
    yield from measured_words(measurement.details)
    if measurement.earlier:
        before = ", ".join(f"{each['latency_ms']:.4g}" for each in measurement.earlier)
        yield "measured before", f"{before} ms; what is known of the candidate is what all of them say together"
    copied = "" if measurement.reused_from is None else f", a copy of measurement {measurement.reused_from}"
    yield "when", f"{measurement.created_at:%Y-%m-%d %H:%M:%S} UTC{copied}"


def _score(score: ReportedScore) -> Iterator[tuple[str, str]]:
    """Beside what the network scores in float32 on the same images; the training's own scores are on other ones."""
    yield "phone", f"{score.phone}{' (simulated)' if score.simulated else ''}, {score.runtime}"
    for name, value in score.on_device.items():
        before = score.in_float.get(name)
        change = "" if before is None else f"{metric_text(name, before)} in float32, {value - before:+.4f} on the phone"
        yield name, f"{metric_text(name, value)}{f' ({change})' if change else ''}"


def _print_training(detail: CandidateDetail) -> None:
    if not detail.epochs:
        return
    losses = [epoch.train_loss for epoch in detail.epochs]
    facts = {"epochs": f"{len(losses)} in {duration(sum(epoch.duration_s for epoch in detail.epochs))}"}
    facts["train_loss"] = _course("loss", losses)
    for name in detail.epochs[-1].metrics:
        values = [epoch.metrics[name] for epoch in detail.epochs if name in epoch.metrics]
        facts[name] = _course(name, values)
    print_facts(facts, title="training")
    click.echo()
    scores = {name: score for name, score in detail.per_class.items() if score}
    if scores:
        best_first = sorted(scores.items(), key=lambda item: -item[1]["iou"])
        shown = {"iou": "IoU", "f1": "F1"} if "miou" in detail.epochs[-1].metrics else {"f1": "F1"}
        listed = {
            name: "  ".join(f"{label} {score[key]:.4f}" for key, label in shown.items()) for name, score in best_first
        }
        print_facts(listed, title="scores by class (classes that never occur are left out)")
        click.echo()


def _course(name: str, values: Sequence[float]) -> str:
    last = metric_text(name, values[-1])
    return last if len(values) == 1 else f"{sparkline(values)} {metric_text(name, values[0])} → {last}"


def sparkline(values: Sequence[float]) -> str:
    """The course of a few numbers, one character each; of many, evenly chosen ones."""
    low, high = min(values), max(values)
    if high == low:
        return SPARKS[0]
    step = max(1, len(values) // 40)
    return "".join(SPARKS[round((value - low) / (high - low) * (len(SPARKS) - 1))] for value in values[::step])


def _print_artifacts(detail: CandidateDetail) -> None:
    if not detail.artifacts:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("artifact", "device", "bytes", "uri"):
        table.add_column(name, justify="right" if name == "bytes" else "left", overflow="fold")
    for artifact in detail.artifacts:
        table.add_row(artifact.kind, artifact.device or "", f"{artifact.size_bytes:,}", _place(artifact))
    print_table(table)


def _place(artifact: CandidateArtifact) -> str:
    return f"removed {artifact.deleted_at} (paretofarm gc)" if artifact.deleted_at else artifact.uri
