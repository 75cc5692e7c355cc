"""The README of an exported network: whatever its classes are called."""

from paretofarm.export.facts import ExportFacts
from paretofarm.export.model_card import model_card
from paretofarm.task import Task


def test_names_of_classes_are_neither_columns_nor_markup() -> None:
    facts = ExportFacts(
        search="shapes",
        candidate=1,
        digest="0" * 64,
        created="2026-01-01",
        code_version="1",
        seed=1,
        architecture={},
        metrics={},
        intervals={},
        noisy_devices=(),
        simulated_devices=(),
        networks=(),
        missing=(),
        task=Task.CLASSIFICATION,
        input_size=32,
        class_names=("cat|dog", "<i>bird</i>"),
        per_class={"cat|dog": {"iou": 0.3, "f1": 0.5, "pixels": 1}, "<i>bird</i>": None},
        recipe={},
        measurement={},
    )
    rows = [line for line in model_card(facts).splitlines() if "cat" in line or "bird" in line]
    assert rows == [r"| cat\|dog | 0.500 |", "| &lt;i&gt;bird&lt;/i&gt; | does not occur |"]
