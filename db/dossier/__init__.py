"""Everything that a search's report is written from, read at one moment."""

from db.dossier.dossier import Dossier, read_dossier
from db.dossier.network import Network
from db.dossier.run import Run, StageWork, UsedPhone

__all__ = ["Dossier", "Network", "Run", "StageWork", "UsedPhone", "read_dossier"]
