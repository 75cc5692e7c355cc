"""Parameters that several endpoints share."""

from typing import Annotated

from fastapi import Depends, Path, Query

from paretofarm.errors import ConfigError

SearchName = Annotated[str, Path(max_length=63, description="A search's name or id.")]
CandidateId = Annotated[int, Path(ge=1, lt=2**63, description="A candidate's id.")]
Device = Annotated[
    str | None, Query(max_length=63, description="Device class; the first that the search names where not given.")
]
MetricName = Annotated[str, Query(max_length=127, description="A metric: `latency_ms`, `miou`, `latency_ms@CLASS`, …")]
Where = Annotated[
    str | None,
    Query(max_length=2000, description="A condition as `paretofarm candidates --where` takes it: `latency_ms<4`"),
]


def axes(x: MetricName | None = None, y: MetricName | None = None, z: MetricName | None = None) -> tuple[str, ...]:
    """The metrics that x, y, z name; none where the search's objectives are meant. Errors: ConfigError."""
    if (y is None) != (x is None) or (z is not None and y is None):
        raise ConfigError("x and y: name both, or none for the search's objectives; z is for a third")
    return tuple(metric for metric in (x, y, z) if metric is not None)


ChosenAxes = Annotated[tuple[str, ...], Depends(axes)]
