"""Searches: list, show, start, stop, resume, change, delete."""

from typing import Any

from fastapi import APIRouter

from dashboard.api.parameters import SearchName
from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import experiments
from db.documents.progress import progress_document
from db.progress import progress
from db.search_status import list_statuses, read_status

router = APIRouter(prefix="/searches", tags=["searches"])


@router.get("")
def list_searches(services: Wired, _: Reader) -> dict[str, Any]:
    """All searches, oldest first, as `search list --json`."""
    with services.reading() as session:
        return {"searches": [status.to_json() for status in list_statuses(session)]}


@router.get("/{name}")
def show_search(name: SearchName, services: Wired, _: Reader) -> dict[str, Any]:
    """How far a search is, as `search show --json`, with its experiment."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        experiment = stored.experiment.model_dump(mode="json")
        return {**read_status(session, stored).to_json(), "experiment": experiment}


@router.get("/{name}/progress")
def show_progress(name: SearchName, services: Wired, _: Reader) -> dict[str, Any]:
    """The part of it that changes by the second."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        return {"status": stored.status.value, "reason": stored.reason, **progress_document(progress(session, stored))}
