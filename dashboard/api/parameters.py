"""Parameters that several endpoints share."""

from typing import Annotated

from fastapi import Path, Query

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
