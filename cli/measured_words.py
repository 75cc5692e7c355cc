"""What a measurement tells beside its latency, in words; each line only where the runner or the phone told it."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.words import bytes_text, duration


def measured_words(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each fact."""
    loads = details.get("load_ms", {})
    if loads:
        yield "load", ", ".join(f"{loads[name]:.4g} ms {name}" for name in ("cold", "warm") if name in loads)
    if details.get("form") == "arch":
        yield "ran as", "context for all chips of its architecture: the phone refused the one for its SoC"
    if "peak_memory_bytes" in details:
        yield "peak memory", f"{bytes_text(details['peak_memory_bytes'])} (of the runner)"
    layers = details.get("layers_ms", {})
    if layers:
        yield "within it", ", ".join(f"{name} {ms:.4g} ms" for name, ms in layers.items())
    if "energy" in details:
        energy = details["energy"]
        yield (
            "energy",
            f"about {energy['millijoules_per_inference']:.3g} mJ per inference (estimated: the whole phone at "
            f"{energy['watts']:.2g} W)",
        )
    if "sustained" in details:
        yield "sustained", _sustained(details["sustained"])


def _sustained(sustained: Mapping[str, Any]) -> str:
    first, last = sustained["curve"][0]["latency_ms"], sustained["latency_ms"]
    ended = f"; ended early: {sustained['stopped']}" if sustained["stopped"] else ""
    return f"{first:.4g} → {last:.4g} ms after {duration(sustained['ran_s'])}{ended}"
