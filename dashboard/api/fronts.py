"""Pareto fronts of a search."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from dashboard.api.parameters import ChosenAxes, Device, SearchName, Where
from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import experiments
from db.documents.front import front_document
from db.point_front import FrontRequest, point_front

router = APIRouter(prefix="/searches/{name}", tags=["fronts"])

Confident = Annotated[bool, Query(description="Show members too that overlapping intervals leave in doubt.")]


@router.get("/front")
def show_front(
    name: SearchName,
    services: Wired,
    _: Reader,
    metrics: ChosenAxes,
    device: Device = None,
    where: Where = None,
    confident: Confident = False,
) -> dict[str, Any]:
    """Complete candidates that keep the search's constraints (and `where`) and that no other one dominates.

    x, y, z: other metrics than the search's objectives, each in the direction that the search or nature gives it.
    """
    with services.reading() as session:
        stored = experiments.find(session, name)
        front = point_front(session, stored, FrontRequest(device, metrics, where, confident))
        return front_document(stored.name, front)
