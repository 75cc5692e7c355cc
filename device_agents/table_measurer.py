"""Does a measure evaluation of a tabular search: the real protocol on numbers, in milliseconds, without any phone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from db.claim import Claim
from db.report import MeasurementRecord, Report
from db.table_files import TableFiles
from db.work import LeaseKeeper
from device_agents.measured_report import measured_report
from device_agents.measurement import Measured, Measurement
from device_agents.runtimes.port import InstalledNetwork
from device_agents.runtimes.tabular import TabularRuntime
from paretofarm.errors import ConfigError, NotDeployable
from paretofarm.measurement import PROTOCOL_VERSION
from paretofarm.ports import DeviceLink
from paretofarm.runtimes import TabularMeasurement

REFERENCE = "reference"
REFERENCE_MS = 1.0
"""A reference network that never changes its pace: nothing slows a table down."""
NO_LINK = cast(DeviceLink, None)
"""There is nothing to connect to, and the runtime does not look at it."""


@dataclass(frozen=True)
class TableMeasurer:
    """phone_id: of the simulated phone that records name."""

    phone_id: int
    device: str
    files: TableFiles = field(default_factory=TableFiles)

    def measure(self, claim: Claim, keeper: LeaseKeeper) -> Report:
        """The work of `db.work.perform`. NotDeployable where nobody knows the latency; DataError for a bad table."""
        settings = claim.experiment.measurement
        if not isinstance(settings, TabularMeasurement):
            raise ConfigError(f"device class {self.device} has a table for a phone: it measures tabular searches only")
        measured = self._measured(claim, settings, keeper)
        return measured_report(self._record(claim, settings, measured))

    def _measured(self, claim: Claim, settings: TabularMeasurement, keeper: LeaseKeeper) -> Measured:
        latencies_ms = {claim.digest: self._latency_ms(claim, settings), REFERENCE: REFERENCE_MS}
        again = claim.attempt - claim.failures - 1  # measured again, though nothing had failed
        key = [claim.experiment.seed, claim.number, claim.failures]
        rng = np.random.default_rng([*key, again] if again else key)
        measurement = Measurement(
            link=NO_LINK,
            runtime=TabularRuntime(settings, latencies_ms, rng),
            settings=settings,
            network=InstalledNetwork(Path(), claim.digest),
            reference=InstalledNetwork(Path(), REFERENCE),
            folder="",
            disturbance=lambda: None,
        )
        return measurement.run(REFERENCE_MS, REFERENCE_MS, keeper.progress)

    def _latency_ms(self, claim: Claim, settings: TabularMeasurement) -> float:
        table = self.files.table(settings, claim.experiment.search_space.search_space())
        value = table.value(claim.architecture, settings.latency_ms[self.device])
        if value is None or value <= 0:
            raise NotDeployable(f"the table knows no latency on {self.device} of this architecture")
        return value

    def _record(self, claim: Claim, settings: TabularMeasurement, measured: Measured) -> MeasurementRecord:
        """network_sha256: of the architecture, for there is no network."""
        return MeasurementRecord(
            phone_id=self.phone_id,
            network_sha256=claim.digest,
            runtime=settings.runtime,
            protocol=PROTOCOL_VERSION,
            blocks=measured.blocks,
            summary=measured.summary,
            conditions={"runner": "a table, simulated"},
            simulated=True,
            device=self.device,
            protocol_key=settings.protocol_key,
        )
