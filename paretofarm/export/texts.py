"""The texts of an export, by file name; with the networks they are the whole of it."""

import json

from paretofarm.export.facts import ExportFacts
from paretofarm.export.model_card import model_card
from paretofarm.export.run_example import RUN_EXAMPLES


def texts(facts: ExportFacts) -> dict[str, str]:
    """The example only where there is something that it runs."""
    found = {
        "README.md": model_card(facts),
        "network.json": json.dumps(facts.to_dict(), indent=2) + "\n",
        "architecture.json": json.dumps(facts.architecture, indent=2) + "\n",
    }
    return {**found, "run.py": RUN_EXAMPLES[facts.task]} if facts.runnable else found
