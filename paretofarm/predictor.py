"""What is expected of latencies before they are measured, as written in an experiment file."""

from pydantic import Field

from paretofarm.strict import Strict


class Predictor(Strict):
    """Latencies are predicted from those measured so far, on the same device class, of the same space.

    share: what other searches measured there in the same way counts, too. screen: a proposal that keeps a limit on a
    latency with less probability than this is not made, another is drawn instead; absent: all are made and measured.
    borrow: so many latencies of other searches are observations of `surrogate_pareto`, fewer the more it has itself.
    """

    share: bool = True
    borrow: int = Field(0, ge=0, le=1000)
    screen: float | None = Field(None, gt=0, le=0.5)
