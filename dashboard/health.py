"""What is answered without a token: whether the process is well, and its metrics."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text

from dashboard.services import Wired

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(services: Wired) -> dict[str, Any]:
    """200 while the database answers, 503 while it does not."""
    with services.reading() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(services: Wired) -> Response:
    """What this process counts, for Prometheus."""
    return Response(services.metrics(), media_type=METRICS_TYPE)
