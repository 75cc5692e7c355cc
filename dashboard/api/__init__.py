"""The HTTP API, version 1: one router per noun. JSON keys and units are those of `paretofarm … --json`."""

from fastapi import APIRouter

from dashboard.api.artifacts import router as artifacts
from dashboard.api.candidate_actions import router as candidate_actions
from dashboard.api.candidates import router as candidates
from dashboard.api.events import router as events
from dashboard.api.exports import router as exports
from dashboard.api.fronts import router as fronts
from dashboard.api.phones import router as phones
from dashboard.api.plots import router as plots
from dashboard.api.searches import router as searches
from dashboard.api.workers import router as workers
from dashboard.problems import ANY_PROBLEM

PREFIX = "/api/v1"
PARTS = (searches, candidates, fronts, plots, candidate_actions, exports, artifacts, phones, workers, events)

router = APIRouter(prefix=PREFIX, responses=ANY_PROBLEM)
for part in PARTS:
    router.include_router(part)
