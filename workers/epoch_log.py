"""What a training leaves behind while it goes on: its epochs, and now and then a checkpoint to resume from."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from db import leases
from db.artifact import StoredArtifact
from db.artifacts import ArtifactStore
from db.claim import Claim
from db.report import EpochMetrics
from db.session import Database
from paretofarm.errors import DatabaseUnavailable, Unavailable
from workers.artifact_kinds import CHECKPOINT

log = logging.getLogger(__name__)


class EpochLog:
    """Of one claimed training. An epoch that is in a checkpoint is in the database too: both are written at once.

    checkpoint: the file that the training replaces after every epoch; every_s: at most so often it is stored.
    """

    def __init__(
        self, database: Database, store: ArtifactStore, claim: Claim, checkpoint: Path, *, every_s: float
    ) -> None:
        self.epochs: list[EpochMetrics] = []
        self._database = database
        self._store = store
        self._claim = claim
        self._checkpoint = checkpoint
        self._every_s = every_s
        self._stored_at = time.monotonic()

    def note(self, epoch: EpochMetrics) -> None:
        """LeaseLost where the evaluation is somebody else's. A database or store that is away is done without."""
        log.info("candidate %s epoch %s: %s", self._claim.number, epoch.epoch, _in_words(epoch.metrics))
        self.epochs.append(epoch)
        checkpoint = self._stored_checkpoint()
        try:
            with self._database.transaction(durable=False) as session:
                for each in self.epochs if checkpoint else (epoch,):
                    leases.record_epoch(session, self._claim, each)
                if checkpoint:
                    leases.attach(session, self._claim, [checkpoint])
        except DatabaseUnavailable as error:
            log.warning(
                "epoch %s of candidate %s is recorded with the result only: %s", epoch.epoch, self._claim.number, error
            )

    def _stored_checkpoint(self) -> StoredArtifact | None:
        """The file may be of a later epoch than the one that is noted: so much less is to be done again."""
        if time.monotonic() - self._stored_at < self._every_s:
            return None
        self._stored_at = time.monotonic()
        try:
            return self._store.put_file(self._checkpoint, CHECKPOINT)
        except Unavailable as error:
            log.warning("no checkpoint of candidate %s is kept: %s", self._claim.number, error)
            return None


def _in_words(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
