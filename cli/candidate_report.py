"""Prints one candidate: for people, or as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich import box
from rich.table import Table

from cli.candidate_view import CandidateView, MeasurementView, Parent
from cli.tables import print_facts, print_table
from cli.words import duration, heading, interval_text, metric_text
from paretofarm.metrics import METRICS

SHOWN_CHANGES = 8
SPARKS = "▁▂▃▄▅▆▇█"


def candidate_document(view: CandidateView) -> dict[str, Any]:
    """What `candidate --json` prints; names and units as in the database."""
    document = asdict(view)
    for measurement, source in zip(document["measurements"], view.measurements, strict=True):
        measurement["created_at"] = source.created_at.isoformat()
    return {**document, "per_class": view.per_class}


def print_candidate(view: CandidateView) -> None:
    """Facts, metrics, lineage, evaluations, measurements, training and artifacts, each if there is any."""
    print_facts(dict(_facts(view)), title=f"candidate {view.id} of {view.search}")
    click.echo()
    print_facts(dict(_metrics(view)), title="metrics")
    for parent in view.parents:
        click.echo()
        print_facts(dict(_changes(parent)), title=f"differs from parent {parent.id} in {len(parent.changes)} choices")
    _print_evaluations(view)
    for measurement in view.measurements:
        print_facts(dict(_measurement(measurement)), title=f"measured on {measurement.device}")
        click.echo()
    _print_training(view)
    _print_artifacts(view)
    click.echo(f"architecture and all numbers: paretofarm candidate {view.id} --json")


def _facts(view: CandidateView) -> Iterator[tuple[str, str]]:
    yield "status", f"{view.status}{': ' + view.reason if view.reason else ''}"
    yield (
        "origin",
        view.origin + (f" of {', '.join(str(parent.id) for parent in view.parents)}" if view.parents else ""),
    )
    yield "digest", view.digest
    choices = view.architecture["choices"]
    yield "architecture", f"{view.architecture['space']}, {len(choices)} choices"


def _metrics(view: CandidateView) -> Iterator[tuple[str, str]]:
    order = list(METRICS)
    for key, value in sorted(view.metrics.items(), key=lambda item: (order.index(item[0].partition("@")[0]), item[0])):
        interval = view.intervals.get(key)
        device = key.partition("@")[2]
        text = interval_text(key, value, (interval[0], interval[1]) if interval else None)
        yield f"{heading(key)}{' on ' + device if device else ''}", text


def _changes(parent: Parent) -> Iterator[tuple[str, str]]:
    for name, (before, after) in list(parent.changes.items())[:SHOWN_CHANGES]:
        yield name, f"{'-' if before is None else before} → {'-' if after is None else after}"
    if len(parent.changes) > SHOWN_CHANGES:
        yield "…", f"{len(parent.changes) - SHOWN_CHANGES} more"


def _print_evaluations(view: CandidateView) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("evaluation", "step", "status", "attempt", "time", "by", "reason"):
        table.add_column(name)
    for work in view.evaluations:
        time = "" if work.duration_s is None else duration(work.duration_s)
        reason = ": ".join(part for part in (work.code, work.reason) if part)
        table.add_row(str(work.id), work.step, work.status, str(work.attempt), time, work.owner or "", reason)
    print_table(table)


def _measurement(measurement: MeasurementView) -> Iterator[tuple[str, str]]:
    summary = measurement.summary
    yield "phone", f"{measurement.phone}{' (simulated)' if measurement.simulated else ''}, {measurement.runtime}"
    low, high = summary["low_ms"], summary["high_ms"]
    noisy = ", noisy" if summary["noisy"] else ""
    yield "latency_ms", f"{interval_text('latency_ms', summary['latency_ms'], (low, high))}{noisy}"
    yield (
        "raw, p90, minimum",
        ", ".join(f"{summary[name]:.4g} ms" for name in ("raw_latency_ms", "p90_ms", "minimum_ms")),
    )
    yield "samples", f"{summary['inferences']} in {summary['blocks']} blocks, {summary['discarded']} discarded"
    yield "reference network", f"{summary['reference_ms']:.4g} ms, {summary['reference_ratio']:.3f} of its first pace"
    yield "when", f"{measurement.created_at:%Y-%m-%d %H:%M:%S} UTC"


def _print_training(view: CandidateView) -> None:
    if not view.epochs:
        return
    losses = [epoch.train_loss for epoch in view.epochs]
    facts = {"epochs": f"{len(losses)} in {duration(sum(epoch.duration_s for epoch in view.epochs))}"}
    facts["train_loss"] = _course("loss", losses)
    for name in view.epochs[-1].metrics:
        values = [epoch.metrics[name] for epoch in view.epochs if name in epoch.metrics]
        facts[name] = _course(name, values)
    print_facts(facts, title="training")
    click.echo()
    scores = {name: score for name, score in view.per_class.items() if score}
    if scores:
        best_first = sorted(scores.items(), key=lambda item: -item[1]["iou"])
        listed = {name: f"IoU {score['iou']:.4f}  F1 {score['f1']:.4f}" for name, score in best_first}
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


def _print_artifacts(view: CandidateView) -> None:
    if not view.artifacts:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("artifact", "device", "bytes", "uri"):
        table.add_column(name, justify="right" if name == "bytes" else "left", overflow="fold")
    for artifact in view.artifacts:
        table.add_row(artifact.kind, artifact.device or "", f"{artifact.size_bytes:,}", artifact.uri)
    print_table(table)
