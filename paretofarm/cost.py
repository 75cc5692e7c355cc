"""What a search has used of machines, what that costs, and when it is enough."""

from dataclasses import dataclass

from pydantic import Field

from paretofarm.strict import Strict

HOUR_S = 3600.0


class Rates(Strict):
    """The `rates:` part of an experiment file: prices of an hour, in one currency."""

    gpu_hour: float = Field(0.0, ge=0, le=1e6, description="of whatever trains")
    phone_hour: float = Field(0.0, ge=0, le=1e6, description="of a phone, measuring and scoring")
    cpu_hour: float = Field(0.0, ge=0, le=1e6, description="of a worker, building and compiling")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$")

    def cost(self, spent: "Spent") -> float:
        """In the currency."""
        seconds = ((spent.train_s, self.gpu_hour), (spent.phone_s, self.phone_hour), (spent.host_s, self.cpu_hour))
        return sum(time_s / HOUR_S * price for time_s, price in seconds)


@dataclass(frozen=True)
class Spent:
    """Wall seconds of all evaluations, each attempt counted, also those that came to nothing.

    train_s: of training, on whatever trains; phone_s: of measuring and scoring; host_s: of building and compiling.
    """

    train_s: float = 0.0
    phone_s: float = 0.0
    host_s: float = 0.0

    @property
    def gpu_hours(self) -> float:
        return self.train_s / HOUR_S
