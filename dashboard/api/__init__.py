"""The HTTP API, version 1: one router per noun. JSON keys and units are those of `paretofarm … --json`."""

from fastapi import APIRouter

from dashboard.api.candidates import router as candidates
from dashboard.api.fronts import router as fronts
from dashboard.api.searches import router as searches
from dashboard.problems import ANY_PROBLEM

PREFIX = "/api/v1"

router = APIRouter(prefix=PREFIX, responses=ANY_PROBLEM)
for part in (searches, candidates, fronts):
    router.include_router(part)
