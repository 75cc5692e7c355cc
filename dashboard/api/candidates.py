"""Candidates: lists page by page in three formats, and everything about one."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from dashboard.api.parameters import CandidateId, Device, SearchName, Where
from dashboard.api.table_formats import csv_response, parquet_response
from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import detail, experiments
from db.candidate_page import LARGEST_PAGE, Page, PageRequest, page
from db.documents.candidate import candidate_document
from db.documents.fields import FLAT, flat_rows, parse_fields
from db.documents.results import results_document

LONGEST_CURSOR = 32_000
"""It holds the value that a page ended with: where one sorts by reason, a whole error message."""

router = APIRouter(tags=["candidates"])


class Format(StrEnum):
    """What a list is sent as."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


Sort = Annotated[str | None, Query(max_length=128, description="A column; `-column` for the greatest first.")]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Candidates on a page.")]
After = Annotated[str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before.")]
Fields = Annotated[str | None, Query(max_length=4000, description="Columns, separated by commas: `id,miou,origin`.")]


@router.get(
    "/searches/{name}/candidates",
    response_model=None,
    responses={
        200: {
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            }
        }
    },
)
def list_candidates(
    name: SearchName,
    request: Request,
    services: Wired,
    _: Reader,
    device: Device = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 100,
    after: After = None,
    fields: Fields = None,
    format: Format = Format.JSON,
) -> Response | dict[str, Any]:
    """Candidates of a search, by number unless sorted otherwise; a candidate without a value comes last.

    JSON has `next`, the cursor of the next page; CSV and Parquet say it in the header `Link: <…>; rel="next"`.
    """
    with services.reading() as session:
        stored = experiments.find(session, name)
        chosen = None if fields is None else parse_fields(fields, stored.experiment.devices)
        found = page(session, stored, PageRequest(device, where, sort, limit, after))
        if format is Format.JSON:
            return _document(stored.name, found, chosen)
        rows = flat_rows(found, chosen or FLAT)
    headers = _link(request, found)
    if format is Format.CSV:
        return csv_response(rows, chosen or FLAT, headers)
    return parquet_response(rows, chosen or FLAT, headers)


@router.get("/candidates/{candidate_id}")
def show_candidate(candidate_id: CandidateId, services: Wired, _: Reader) -> dict[str, Any]:
    """Everything about one candidate, as `candidate --json`."""
    with services.reading() as session:
        return candidate_document(detail.candidate(session, candidate_id))


def _document(search: str, found: Page, chosen: tuple[str, ...] | None) -> dict[str, Any]:
    document = results_document(search, found.device, found.candidates)
    if chosen is not None:
        document["candidates"] = flat_rows(found, chosen)
    return {**document, "next": found.next}


def _link(request: Request, found: Page) -> dict[str, str]:
    if found.next is None:
        return {}
    url = request.url.include_query_params(after=found.next)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
