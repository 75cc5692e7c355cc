"""Candidates for people: one of them, or several side by side."""

from fastapi import APIRouter, Request, Response

from dashboard.api.parameters import CandidateId
from dashboard.pages.shell import missing, shell
from dashboard.pages.visitor import Visitor
from dashboard.services import Wired
from db import detail
from paretofarm.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/candidates/{candidate_id}")
def candidate(candidate_id: CandidateId, request: Request, services: Wired, identity: Visitor) -> Response:
    try:
        with services.reading() as session:
            found = detail.candidate(session, candidate_id)
    except NotFound as error:
        return missing(request, identity, error.message)
    return shell(request, identity, "candidate.html", candidate=found.id, search=found.search)


@router.get("/compare")
def compare(request: Request, identity: Visitor) -> Response:
    return shell(request, identity, "compare.html")
