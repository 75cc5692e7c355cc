"""The API's description, for programs (/openapi.json) and people (/docs): no script, nothing from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from dashboard.auth.identity import Reader
from dashboard.pages.rendering import page
from dashboard.pages.visitor import Visitor

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Operation:
    """One thing that the API can do, for people."""

    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[dict[str, Any], ...]


@router.get("/openapi.json")
def openapi(request: Request, _: Reader) -> dict[str, Any]:
    description: dict[str, Any] = request.app.openapi()
    return description


@router.get("/docs")
def docs(request: Request, identity: Visitor) -> Response:
    description = request.app.openapi()
    return page(
        request,
        "api.html",
        identity,
        title=description["info"]["title"],
        about=description["info"]["description"],
        operations=list(_operations(description)),
    )


def _operations(description: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                method.upper(),
                path,
                operation.get("tags", [""])[0],
                operation.get("summary", ""),
                operation.get("description", ""),
                tuple(operation.get("parameters", ())),
            )
