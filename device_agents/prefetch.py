"""Puts the next networks on a phone while it cannot be measured: pushing overlaps with cooling down."""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from db import upcoming
from db.artifacts import ArtifactStore
from db.session import Database
from db.upcoming import PlannedNetwork
from device_agents.phone import Phone
from device_agents.runtimes import device_runtime
from paretofarm.errors import ConfigError, DatabaseUnavailable, NotDeployable, Unavailable

log = logging.getLogger(__name__)

NETWORK_KIND, TRAINED_NETWORK_KIND = "network", "trained_network"
AHEAD = 2
"""Networks: the next job's, and that of the job after it. Other phones of the class may take them first."""


class Prefetch:
    """Of one phone. Claims nothing: a network that another phone measures has been pushed in vain, and is forgotten
    with the oldest.
    """

    def __init__(
        self, phone: Phone, *, device: str, database: Database, store: ArtifactStore, environment: Mapping[str, str]
    ) -> None:
        self._phone = phone
        self._device = device
        self._database = database
        self._store = store
        self._environment = environment
        self._pushed: list[str] = []

    def push_one(self) -> bool:
        """Pushes the first of the next networks that this has not pushed yet; False where there is none.

        What fails is tried again by the measurement itself.
        """
        try:
            with self._database.transaction() as session:
                planned = upcoming.queued_networks(
                    session, self._device, NETWORK_KIND, TRAINED_NETWORK_KIND, limit=AHEAD
                )
            fresh = [each for each in planned if each.artifact.sha256 not in self._pushed]
            if not fresh:
                return False
            self._push(fresh[0])
        except (DatabaseUnavailable, Unavailable, ConfigError, NotDeployable) as error:
            log.info("nothing is pushed ahead: %s", error)
            return False
        return True

    def _push(self, planned: PlannedNetwork) -> None:
        artifact = planned.artifact
        self._pushed = [*self._pushed[-AHEAD:], artifact.sha256]
        runtime = device_runtime(planned.settings, self._environment)
        local = self._store.fetch(artifact)
        with TemporaryDirectory(prefix="paretofarm-install-") as folder:
            self._phone.put_network(runtime.files(local, Path(folder)), artifact.sha256)
        log.info("network %s is on the phone ahead of its measurement", artifact.sha256[:12])
