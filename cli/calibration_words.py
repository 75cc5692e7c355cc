"""What quantization did to a trained network, in words."""

from collections.abc import Iterator

from cli.words import metric_text
from paretofarm.calibration import CalibrationResult


def calibration_words(result: CalibrationResult) -> Iterator[tuple[str, str]]:
    """Name and text of each fact. The scores are of the compiling host: no phone has seen them."""
    scores = sorted(result.int8.items(), key=lambda item: item[0] != result.kept)
    name = result.metric
    yield "calibration", ", ".join(f"{method} {metric_text(name, score)}" for method, score in scores)
    yield name, f"{metric_text(name, result.fp32)} in float32 → {metric_text(name, result.int8[result.kept])}"
    yield "gap", f"{result.gap_points:.2f} points"
    for layer in result.layers:
        yield (
            f"layer {layer.layer}",
            f"{layer.op}, {layer.sqnr_db:.1f} dB, {layer.changed:.2%} of {result.task.counted} change",
        )
