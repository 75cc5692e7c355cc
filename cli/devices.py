"""Which device class a question is about."""

from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.objective import Objective


def choose_device(experiment: Experiment, wanted: str | None) -> str | None:
    """The one that was asked for, else the first that the search names; None where it names none.

    Errors: ConfigError for one that the search does not name.
    """
    if wanted is None:
        return experiment.devices[0] if experiment.devices else None
    if wanted not in experiment.devices:
        named = ", ".join(experiment.devices) or "none"
        raise ConfigError(f"--device {wanted}: the search {experiment.name!r} is about other devices: {named}")
    return wanted


def objectives_on(experiment: Experiment, device: str | None) -> tuple[Objective, ...]:
    """The objectives that count for one device class: its own and those that are the same everywhere."""
    return tuple(objective for objective in experiment.objectives if objective.device in (None, device))
