"""A search as plots need it: all points as columns, and how the front's hypervolume grew."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from dashboard.api.parameters import ChosenAxes, Device, SearchName
from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import experiments
from db.hypervolume import hypervolume
from db.plot_points import plot_points

router = APIRouter(prefix="/searches/{name}", tags=["plots"])


@router.get("/points")
def show_points(
    name: SearchName,
    services: Wired,
    _: Reader,
    metrics: ChosenAxes,
    device: Device = None,
) -> dict[str, Any]:
    """Complete candidates, one array per column, as they finished. x, y, z: the objectives where absent."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        found = plot_points(session, stored, device=device, metrics=metrics)
    return {
        "search": stored.name,
        "device": found.device,
        "axes": [{"name": axis.name, "goal": axis.goal.value} for axis in found.axes],
        "total": found.total,
        "columns": found.columns,
        "pinned": found.pinned,
    }


@router.get("/hypervolume")
def show_hypervolume(name: SearchName, services: Wired, _: Reader, device: Device = None) -> dict[str, Any]:
    """Steps at which the front got better, against evaluations, seconds and seconds of training; with random search.

    Values are multiples of the hypervolume of the search's first eight feasible candidates.
    """
    with services.reading() as session:
        stored = experiments.find(session, name)
        found = hypervolume(session, stored, device)
    return {"search": stored.name, **asdict(found)}
