"""What does the work, for people: phones, workers, and what happened."""

from fastapi import APIRouter, Request, Response

from dashboard.pages.shell import shell
from dashboard.pages.visitor import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/phones")
def phones(request: Request, identity: Visitor) -> Response:
    return shell(request, identity, "phones.html")


@router.get("/workers")
def workers(request: Request, identity: Visitor) -> Response:
    return shell(request, identity, "workers.html")


@router.get("/events")
def events(request: Request, identity: Visitor) -> Response:
    return shell(request, identity, "events.html")
