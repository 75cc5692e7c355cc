"""Phones: their state, how busy they were, what their reference network says, and the end of a quarantine."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from dashboard.auth.identity import Operator, Reader
from dashboard.services import Wired
from db import phones
from db.documents.phone import phone_document
from db.drift import DAYS, drift
from db.latencies import latency_groups
from db.phone_usage import read_usage, usage_document

router = APIRouter(prefix="/phones", tags=["phones"])

Serial = Annotated[str, Path(max_length=200, description="A phone's own serial number.")]
Days = Annotated[int, Query(ge=1, le=DAYS, description="How far to look back.")]


@router.get("")
def list_phones(services: Wired, _: Reader) -> dict[str, Any]:
    """All phones ever registered, as `phones --json`."""
    with services.reading() as session:
        return {"phones": [phone_document(phone) for phone in phones.list_phones(session)]}


@router.get("/usage")
def show_usage(services: Wired, _: Reader, days: Days = 7) -> dict[str, Any]:
    """How busy each was, day by day, as `phones --usage --json`."""
    with services.reading() as session:
        return {"phones": [usage_document(usage) for usage in read_usage(session, days)]}


@router.get("/predictors")
def show_predictors(services: Wired, _: Reader) -> dict[str, Any]:
    """How well latencies are predicted beforehand, as `phones --predictor --json`. It may take seconds."""
    from db.documents.predictor import judge_predictors  # it loads scipy, 40 MB of memory that nobody may ask for

    with services.reading() as session:
        groups = latency_groups(session)
    return {"predictors": [report.to_json() for report in judge_predictors(groups)]}


@router.get("/{serial}/drift")
def show_drift(serial: Serial, services: Wired, _: Reader, days: Days = 28) -> dict[str, Any]:
    """Checks with the reference network: how long it took, and what was usual then; oldest first."""
    with services.reading() as session:
        return {"serial": serial, "checks": [check.to_json() for check in drift(session, serial, days)]}


@router.post("/{serial}/release")
def release_phone(serial: Serial, services: Wired, _: Operator) -> dict[str, Any]:
    """Ends its quarantine; it has to prove itself before it is measured on again."""
    with services.writing() as session:
        return {"serial": serial, "changed": phones.release(session, serial)}
