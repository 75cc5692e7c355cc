"""What a network that leaves the farm is accompanied by. Texts only: who reads and writes files is elsewhere."""

from paretofarm.export.facts import ExportFacts, NetworkFile
from paretofarm.export.model_card import model_card
from paretofarm.export.run_example import RUN_EXAMPLES
from paretofarm.export.texts import texts

__all__ = ["RUN_EXAMPLES", "ExportFacts", "NetworkFile", "model_card", "texts"]
