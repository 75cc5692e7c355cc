"""What one can do with a candidate: pin it, run it again; and where it comes from."""

from typing import Any

from fastapi import APIRouter

from dashboard.api.parameters import CandidateId
from dashboard.auth.identity import Operator, Reader
from dashboard.services import Wired
from db import pins, reruns
from db.documents.lineage import lineage_document
from db.lineage import lineage

router = APIRouter(prefix="/candidates/{candidate_id}", tags=["candidates"])


@router.get("/lineage")
def show_lineage(candidate_id: CandidateId, services: Wired, _: Reader) -> dict[str, Any]:
    """Ancestors, the candidate itself (distance 0) and its children, with what each mutation changed."""
    with services.reading() as session:
        return lineage_document(lineage(session, candidate_id))


@router.post("/pin")
def pin_candidate(candidate_id: CandidateId, services: Wired, _: Operator) -> dict[str, Any]:
    """Keeps its artifacts for ever and marks it."""
    with services.writing() as session:
        return {"id": candidate_id, "pinned": True, "changed": pins.pin(session, candidate_id)}


@router.post("/unpin")
def unpin_candidate(candidate_id: CandidateId, services: Wired, _: Operator) -> dict[str, Any]:
    """The opposite."""
    with services.writing() as session:
        return {"id": candidate_id, "pinned": False, "changed": pins.unpin(session, candidate_id)}


@router.post("/rerun")
def rerun_candidate(candidate_id: CandidateId, services: Wired, _: Operator) -> dict[str, Any]:
    """Tries again what failed; measures a complete candidate again. A finished search goes on for it."""
    with services.writing() as session:
        reruns.rerun(session, candidate_id)
    return {"id": candidate_id, "changed": True}
