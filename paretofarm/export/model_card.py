"""The model card of an exported network, in Markdown (after Mitchell et al., Model Cards for Model Reporting, 2019)."""

import json
from collections.abc import Iterator, Mapping
from html import escape

from paretofarm.calibration import CalibrationResult
from paretofarm.export.facts import ExportFacts, NetworkFile
from paretofarm.metrics import METRICS, Source, epochs_of
from paretofarm.task import Task

_KINDS: Mapping[Task, str] = {
    Task.SEGMENTATION: "A segmentation network",
    Task.CLASSIFICATION: "An image classifier",
}
_OUTPUTS: Mapping[Task, str] = {
    Task.SEGMENTATION: "logits `[1, classes, height, width]`; the greatest channel is the class",
    Task.CLASSIFICATION: "logits `[1, classes, 1, 1]`; the greatest one is the class, their softmax how sure it is",
}
_ARGUMENTS: Mapping[Task, str] = {Task.SEGMENTATION: "picture.png mask.png", Task.CLASSIFICATION: "picture.png"}
_NAMES: Mapping[str, str] = {"miou": "mIoU", "accuracy": "accuracy"}


def model_card(facts: ExportFacts) -> str:
    """`README.md` of the folder. It says what is known, and plainly what is not."""
    parts = [
        _head(facts),
        _files(facts),
        _use(facts),
        _numbers(facts),
        _classes(facts),
        *(_quantization(network) for network in facts.networks),
        _training(facts),
        _limits(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(facts: ExportFacts) -> str:
    return (
        f"# {facts.search}, candidate {facts.candidate}\n\n"
        f"{_KINDS[facts.task]} that the search `{facts.search}` found (seed {facts.seed}, paretofarm "
        f"{facts.code_version}), exported on {facts.created}. Architecture `{facts.digest[:12]}`, in "
        "`architecture.json`; everything below for programs in `network.json`."
    )


def _files(facts: ExportFacts) -> str:
    rows = [f"| `{network.name}` | {_network_words(network)} |" for network in facts.networks]
    text = "## Files\n\n| file | |\n|---|---|\n" + "\n".join(rows)
    return text + "".join(f"\n\n{sentence}" for sentence in facts.missing)


def _network_words(network: NetworkFile) -> str:
    weights = "trained weights" if network.trained else "**random weights**: good for timing only"
    device = f", compiled for `{network.device}`" if network.device else ""
    notes = "".join(f", {name.replace('_', ' ')} {_value(value)}" for name, value in sorted(network.notes.items()))
    return f"{network.precision}, {weights}{device}, for {network.runs_on}{notes}"


def _use(facts: ExportFacts) -> str:
    if facts.runnable is None:
        return ""
    side = facts.input_size
    return (
        "## Use\n\n"
        f"Input: one RGB image, float32 `[1, 3, {side}, {side}]` from 0 to 1; normalisation is part of the network. "
        f"Output: {_OUTPUTS[facts.task]}.\n\n"
        f"```\npip install numpy onnxruntime pillow\npython run.py {_ARGUMENTS[facts.task]}\n```"
    )


def _numbers(facts: ExportFacts) -> str:
    rows = [f"| {_label(key)} | {_number(value)} | {_interval(facts, key)} | {_remark(facts, key)} |"
            for key, value in facts.metrics.items()]  # fmt: skip
    return "## Measured\n\n| | value | 95 % interval | |\n|---|---|---|---|\n" + "\n".join(rows)


def _label(key: str) -> str:
    name, _, device = key.partition("@")
    unit = METRICS[name].unit if name in METRICS else ""
    epochs = epochs_of(key)
    place = f" after {epochs} epochs" if epochs else f" on `{device}`" if device else ""
    return f"{name}{f' [{unit}]' if unit else ''}{place}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _interval(facts: ExportFacts, key: str) -> str:
    pair = facts.intervals.get(key)
    return f"{pair[0]:.4g} to {pair[1]:.4g}" if pair else ""


def _remark(facts: ExportFacts, key: str) -> str:
    name, _, device = key.partition("@")
    if name not in METRICS or METRICS[name].source not in (Source.MEASURE, Source.SCORE):
        return ""
    remarks = [word for word, devices in (("simulated phone", facts.simulated_devices), ("noisy", facts.noisy_devices))
               if device and device in devices]  # fmt: skip
    return ", ".join(remarks)


def _classes(facts: ExportFacts) -> str:
    order = facts.class_names or sorted(facts.per_class)
    scored = [(name, facts.per_class.get(name)) for name in order]
    if not any(scores for _, scores in scored):
        return ""
    measures = {"iou": "IoU", "f1": "F1"} if facts.task is Task.SEGMENTATION else {"f1": "F1"}
    head = f"| class | {' | '.join(measures.values())} |\n|---{'|---' * len(measures)}|\n"
    rows = [f"| {_cell(name)} | {' | '.join(_score(scores, each) for each in measures)} |" for name, scores in scored]
    return f"## Per class\n\nOn the validation split.\n\n{head}" + "\n".join(rows)


def _cell(name: str) -> str:
    """Whatever somebody has called it, it is one cell of a table, and no markup."""
    return escape(name, quote=False).replace("|", r"\|")


def _score(scores: Mapping[str, float] | None, name: str) -> str:
    return f"{scores[name]:.3f}" if scores else "does not occur"


def _quantization(network: NetworkFile) -> str:
    result = network.calibration
    if result is None:
        return ""
    names = {method: f"{method}, kept" if method == result.kept else method for method in result.int8}
    rows = [f"| {names[method]} | {score:.4f} | {result.gap_points_of(method):.2f} |"
            for method, score in result.int8.items()]  # fmt: skip
    text = (
        f"## Quantization of `{network.name}`\n\n"
        f"The ranges of its activations were chosen by {_NAMES[result.metric]} on {result.images} images of the "
        "validation split, on the host that quantized it, not on a phone. In float32 the network scores "
        f"{result.fp32:.4f} there.\n\n"
        f"| calibration | {_NAMES[result.metric]} | points below float32 |\n|---|---|---|\n" + "\n".join(rows)
    )
    return text + _worst_layers(result) if result.layers else text


def _worst_layers(result: CalibrationResult) -> str:
    rows = [f"| {layer.layer} | {layer.op} | {layer.sqnr_db:.1f} | {layer.changed:.2%} |" for layer in result.layers]
    counted = result.task.counted
    return (
        "\n\nWhere only one layer is quantized, these cost most: signal to noise of the logits, and "
        f"{counted} whose class changes.\n\n| layer | op | dB | {counted} |\n|---|---|---|---|\n" + "\n".join(rows)
    )


def _training(facts: ExportFacts) -> str:
    if not facts.recipe:
        return "## Training\n\nNone: the search was about measured numbers only."
    return "## Training\n\n" + _settings(facts.recipe) + "\n\nMeasured with:\n\n" + _settings(facts.measurement)


def _settings(settings: Mapping[str, object]) -> str:
    return "```json\n" + json.dumps(settings, indent=2, sort_keys=True) + "\n```"


def _limits(facts: ExportFacts) -> str:
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in _limitations(facts))


def _limitations(facts: ExportFacts) -> Iterator[str]:
    if facts.recipe:
        yield "Trained partially, to be compared with other candidates: a full training scores better."
        yield "Scores hold for images like those of the data set named above, and for no others."
    if facts.simulated_devices:
        phones = ", ".join(facts.simulated_devices)
        yield f"Numbers for {phones} were taken on a simulated phone: they order networks, they are no phone's latency."
    yield "The weights are yours. paretofarm's own code, `run.py` included, is under the Apache License 2.0."
    if facts.recipe:
        yield "The data set's licence may bind what was trained on it: look it up."


def _value(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
