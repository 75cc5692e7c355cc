"""Searches for people: all of them, one to watch, and one network to pick."""

from fastapi import APIRouter, Request, Response

from dashboard.api.parameters import SearchName
from dashboard.pages.shell import missing, shell
from dashboard.pages.visitor import Visitor
from dashboard.services import Wired
from db import experiments
from paretofarm.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/")
def search_list(request: Request, identity: Visitor) -> Response:
    return shell(request, identity, "searches.html")


@router.get("/searches/{name}")
def search(name: SearchName, request: Request, services: Wired, identity: Visitor) -> Response:
    return _about(name, "search.html", request, services, identity)


@router.get("/searches/{name}/pick")
def pick(name: SearchName, request: Request, services: Wired, identity: Visitor) -> Response:
    return _about(name, "pick.html", request, services, identity)


def _about(name: str, template: str, request: Request, services: Wired, identity: Visitor) -> Response:
    try:
        with services.reading() as session:
            found = experiments.find(session, name)
    except NotFound as error:
        return missing(request, identity, error.message)
    return shell(request, identity, template, search=found.name)
