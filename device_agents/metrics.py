"""What an agent counts about its phone."""

from dataclasses import dataclass

from device_agents.conditions import Conditions
from device_agents.measurement import Measured
from device_agents.phone import Identity
from device_agents.reference_check import Outcome
from paretofarm import instruments
from paretofarm.blame import Party
from paretofarm.meter import Meter
from paretofarm.phone_health import Recovery


@dataclass(frozen=True)
class PhoneMetrics:
    """The meter of one agent. device: the phone's class."""

    meter: Meter
    device: str

    def note_phone(self, identity: Identity) -> None:
        """Who it is; once."""
        simulated = "yes" if identity.simulated else "no"
        names = {"serial": identity.serial, "model": identity.model, "simulated": simulated}
        self.meter.set(instruments.PHONE_INFO, 1.0, device=self.device, **names)
        self.meter.set(instruments.SLOTS, 1.0)

    def note_fitness(self, fit: bool) -> None:
        self.meter.set(instruments.PHONE_FIT, float(fit), device=self.device)

    def note_conditions(self, conditions: Conditions) -> None:
        """What the phone does not say keeps its last value."""
        level = conditions.battery_level
        said = {
            instruments.PHONE_THERMAL: conditions.thermal_status,
            instruments.BATTERY: None if level is None else level / 100,
            instruments.BATTERY_TEMPERATURE: conditions.battery_temperature,
            instruments.PHONE_FREE: conditions.free_bytes,
        }
        for instrument, value in said.items():
            if value is not None:
                self.meter.set(instrument, value, device=self.device)
        for sensor, celsius in conditions.temperatures.items():
            self.meter.set(instruments.PHONE_TEMPERATURE, celsius, device=self.device, sensor=sensor)

    def note_check(self, outcome: Outcome) -> None:
        """The reference network has run alone."""
        name = "broken" if outcome.broken else "drifted" if outcome.failure else "passed"
        self.meter.add(instruments.REFERENCE_CHECKS, device=self.device, outcome=name)
        if outcome.ratio is not None:
            self.meter.set(instruments.REFERENCE_DRIFT, outcome.ratio, device=self.device)

    def note_recovery(self, step: Recovery) -> None:
        self.meter.add(instruments.RECOVERIES, device=self.device, step=step.value)

    def note_blame(self, party: Party) -> None:
        self.meter.add(instruments.BLAMED, device=self.device, party=party.value)

    def note_measured(self, measured: Measured) -> None:
        """A measurement that is through, steady or not."""
        summary, meter, device = measured.summary, self.meter, self.device
        discarded = summary.discarded
        meter.add(instruments.BLOCKS, len(measured.blocks) - discarded, device=device, verdict="counted")
        meter.add(instruments.BLOCKS, discarded, device=device, verdict="discarded")
        meter.observe(instruments.NOISE, summary.relative_ci, device=device)
        meter.set(instruments.REFERENCE, summary.reference_ratio, device=device)
        if summary.noisy:
            meter.add(instruments.NOISY, device=device)
