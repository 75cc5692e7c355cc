"""Processes that work or plan."""

from typing import Any

from fastapi import APIRouter

from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import workers
from db.documents.worker import worker_document

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("")
def list_workers(services: Wired, _: Reader) -> dict[str, Any]:
    """All that ever announced themselves, the latest sign of life first."""
    with services.reading() as session:
        return {"workers": [worker_document(worker) for worker in workers.list_workers(session)]}
