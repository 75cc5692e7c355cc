"""What a candidate gets to know of a measurement: its metrics, at the pace of the device class."""

from db.report import MeasurementRecord, Report


def measured_report(record: MeasurementRecord) -> Report:
    """The same of a fresh measurement and of one that is used again."""
    summary = record.summary
    return Report(
        metrics=_metrics(record),
        intervals={"latency_ms": (summary.low_ms, summary.high_ms)},
        measurement=record,
        details={
            "noisy": summary.noisy,
            **({} if record.reused_from is None else {"reused_from": record.reused_from}),
        },
        simulated=record.simulated,
    )


def _metrics(record: MeasurementRecord) -> dict[str, float]:
    """`load_ms` is of a warm start: what an app sees whenever it is opened again."""
    summary, details = record.summary, record.details
    to_class = summary.latency_ms / summary.raw_latency_ms
    metrics = {"latency_ms": summary.latency_ms, "latency_p90_ms": summary.p90_ms * to_class}
    told = {
        "latency_sustained_ms": details.get("sustained", {}).get("latency_ms"),
        "load_ms": details.get("load_ms", {}).get("warm"),
        "peak_memory_bytes": details.get("peak_memory_bytes"),
    }
    factor = {"latency_sustained_ms": to_class}
    return metrics | {name: value * factor.get(name, 1.0) for name, value in told.items() if value is not None}
