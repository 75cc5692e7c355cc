"""Searches: list, show, start, stop, resume, finish, change, delete."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboard.api.parameters import SearchName
from dashboard.auth.identity import Admin, Operator, Reader
from dashboard.services import Wired
from db import experiments
from db.cost import spent
from db.documents.progress import progress_document
from db.experiment_text import LARGEST_BYTES, read_experiment
from db.experiments import ExperimentStatus
from db.finishing import finish_search
from db.progress import progress
from db.search_deletion import delete_search
from db.search_start import Beginning, begin_search, phone_warning
from paretofarm.cost import HOUR_S
from paretofarm.errors import ConfigError, Conflict
from paretofarm.experiment import SearchName as NewSearchName
from paretofarm.recipes import Recipe

REQUEST = Path("the request")
EXPERIMENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}

router = APIRouter(prefix="/searches", tags=["searches"])


@router.get("")
def list_searches(services: Wired, _: Reader) -> dict[str, Any]:
    """All searches, oldest first, as `search list --json`."""
    with services.reading() as session:
        return {"searches": [status.to_json() for status in services.status_board.list(session)]}


@router.get("/{name}")
def show_search(name: SearchName, services: Wired, _: Reader) -> dict[str, Any]:
    """How far a search is, as `search show --json`, with its experiment."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        experiment = stored.experiment.model_dump(mode="json")
        return {**services.status_board.read(session, stored).to_json(), "experiment": experiment}


@router.get("/{name}/progress")
def show_progress(name: SearchName, services: Wired, _: Reader) -> dict[str, Any]:
    """The part of it that changes by the second."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        return {"status": stored.status.value, "reason": stored.reason, **progress_document(progress(session, stored))}


@router.get("/{name}/cost")
def show_cost(name: SearchName, services: Wired, _: Reader) -> dict[str, Any]:
    """Hours of work so far, all attempts counted, and their price by the experiment's `rates`, null without them."""
    with services.reading() as session:
        stored = experiments.find(session, name)
        used, rates = spent(session, stored.id), stored.experiment.rates
    return {
        "gpu_hours": used.train_s / HOUR_S,
        "phone_hours": used.phone_s / HOUR_S,
        "cpu_hours": used.host_s / HOUR_S,
        "cost": rates.cost(used) if rates else None,
        "currency": rates.currency if rates else None,
    }


class ChangedStop(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    candidates: int = Field(ge=1, le=10_000_000)


class Change(BaseModel):
    """What of a search may be changed: how many complete candidates it asks for."""

    model_config = ConfigDict(extra="forbid", strict=True)
    stop: ChangedStop


class End(BaseModel):
    """What is another than under `final:` of the experiment file, or than its defaults. name: of the new search."""

    model_config = ConfigDict(extra="forbid", strict=True)
    members: Literal["front"] | Annotated[int, Field(ge=1, le=1000)] = "front"
    epochs: int = Field(30, ge=1, le=10_000)
    recipe: Recipe | Literal["search"] = "strong"
    name: NewSearchName | None = None


async def text_of(request: Request) -> str:
    """The body. Errors: ConfigError for one that is no text, or too long."""
    body = await request.body()
    if len(body) > LARGEST_BYTES:
        raise ConfigError(f"{REQUEST}: more than {LARGEST_BYTES} bytes: not an experiment file")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{REQUEST}: not UTF-8 text (byte {error.start})") from error


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=EXPERIMENT_BODY)
def start_search(
    request: Request,
    response: Response,
    services: Wired,
    _: Operator,
    text: Annotated[str, Depends(text_of)],
    check_data: Annotated[bool, Query(description="Whether the data set must be on the dashboard's host.")] = True,
) -> dict[str, Any]:
    """Start the search that an experiment file describes, in YAML or JSON. The same again goes on: 200 instead of 201.

    A relative data set path counts from the folder in which the dashboard was started.
    """
    as_json = "json" in request.headers.get("content-type", "")
    file = read_experiment(text, REQUEST, as_json=as_json)
    if check_data:
        services.check_experiment(file)
    begun = begin_search(services.database, file, services.code_version)
    warning = phone_warning(services.database, begun.search.experiment)
    if begun.beginning is not Beginning.NEW:
        response.status_code = HTTPStatus.OK
    response.headers["Location"] = f"{request.url.path}/{begun.search.name}"
    return {
        "id": begun.search.id,
        "name": begun.search.name,
        "beginning": begun.beginning.value,
        "warnings": [warning] if warning else [],
    }


@router.post("/{name}/stop")
def stop_search(name: SearchName, services: Wired, _: Operator) -> dict[str, Any]:
    """It proposes no more; what is in flight comes to its end."""
    with services.writing() as session:
        stored = experiments.find(session, name)
        changed = experiments.stop(session, stored.id)
        return {"name": stored.name, "status": experiments.get(session, stored.id).status.value, "changed": changed}


@router.post("/{name}/resume")
def resume_search(name: SearchName, services: Wired, _: Operator) -> dict[str, Any]:
    """Goes on with a search that was stopped."""
    with services.writing() as session:
        stored = experiments.find(session, name)
        if stored.status is ExperimentStatus.FINISHED:
            raise Conflict(f"the search {stored.name!r} is finished: there is nothing to resume")
        changed = experiments.resume(session, stored.id)
        return {"name": stored.name, "status": experiments.get(session, stored.id).status.value, "changed": changed}


@router.post("/{name}/finish")
def finish(name: SearchName, services: Wired, _: Operator, end: End | None = None) -> dict[str, Any]:
    """Trains the best networks of a search that is over to the end, by a search of its own, which it names."""
    said = end.model_dump(exclude_unset=True, exclude={"name"}) if end else {}
    with services.writing() as session:
        found = finish_search(session, name, said, name=end.name if end else None)
    final = found.search
    return {
        "name": final.name,
        "final_of": final.final_of,
        "status": final.status.value,
        "target": final.experiment.stop.candidates,
        "new": found.is_new,
    }


@router.patch("/{name}")
def change_search(name: SearchName, change: Change, services: Wired, _: Operator) -> dict[str, Any]:
    """Asks for another number of complete candidates; a finished search goes on where that is more."""
    with services.writing() as session:
        stored = experiments.find(session, name)
        experiments.change_limit(session, stored.id, change.stop.candidates)
        after = experiments.get(session, stored.id)
    return {"name": after.name, "status": after.status.value, "target": after.experiment.stop.candidates}


@router.delete("/{name}")
def remove_search(name: SearchName, services: Wired, _: Admin) -> dict[str, Any]:
    """Deletes a search that does not run, for ever: its rows, and the artifacts that no other search shares."""
    deletion = delete_search(services.database, services.store, name)
    gone = deletion.extent
    return {
        "name": gone.name,
        "candidates": gone.candidates,
        "artifacts": gone.artifacts,
        "bytes": gone.size_bytes,
        "files": deletion.files,
    }
