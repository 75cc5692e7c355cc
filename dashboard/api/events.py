"""What happened: pages of events, and a stream of them as they happen (server-sent events)."""

import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from dashboard.auth.identity import Reader
from dashboard.feed import Feed, until_end
from dashboard.services import Services, Wired
from db import events, experiments
from db.documents.event import event_document
from db.events import Event, EventKind

STILL_HERE_S = 15.0
LONGEST_S = 900.0
"""Then a stream ends and the listener comes back, with a token that may have expired meanwhile."""
REPLAY = 1000

router = APIRouter(prefix="/events", tags=["events"])

Kinds = Annotated[list[EventKind], Query(description="Only these; may be given several times.")]
About = Annotated[str | None, Query(max_length=63, description="Only about the search of this name or id.")]
After = Annotated[int | None, Query(ge=0, lt=2**63, description="Only those that follow the event of this id.")]


@router.get("")
def list_events(
    services: Wired,
    _: Reader,
    after: After = None,
    kinds: Kinds = [],  # noqa: B006
    search: About = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Oldest first: those that follow `after`, else the newest."""
    with services.reading() as session:
        about = None if search is None else experiments.find(session, search).id
        if after is None:
            found = events.latest(session, kinds=kinds, experiment_id=about, limit=limit)
        else:
            found = events.following(session, after, kinds=kinds, experiment_id=about, limit=limit)
    return {"events": [event_document(event) for event in found]}


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream_events(
    request: Request,
    services: Wired,
    _: Reader,
    after: After = None,
    kinds: Kinds = [],  # noqa: B006
    search: About = None,
    last_event_id: Annotated[str | None, Header(max_length=30)] = None,
) -> StreamingResponse:
    """Events as they happen. Who comes back with `Last-Event-ID` (or `after`) is first told what was missed."""
    about = None if search is None else await to_thread.run_sync(_experiment_id, services, search)
    feed = request.app.state.feed
    assert isinstance(feed, Feed)
    wanted = frozenset(kinds)
    begin = _number(last_event_id) if last_event_id else after
    body = _stream(feed, partial(_missed, services, list(kinds), about), begin, wanted, about)
    return StreamingResponse(body, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(
    feed: Feed, missed: partial[list[Event]], begin: int | None, kinds: frozenset[EventKind], about: int | None
) -> AsyncIterator[str]:
    """Subscribed before what was missed is read, so that nothing falls in between."""
    until = time.monotonic() + LONGEST_S
    with feed.subscription() as subscription:
        yield "retry: 2000\n\n"
        # The last one that was heard may reach the feed only now.
        told: set[int] = set() if begin is None else {begin}
        for event in [] if begin is None else await to_thread.run_sync(missed, begin):
            told.add(event.id)
            yield _text(event)
        async for news in until_end(subscription, STILL_HERE_S):
            if time.monotonic() > until:
                return
            if news is None:
                yield ": still here\n\n"
            elif news.id not in told and (not kinds or news.kind in kinds) and about in (None, news.experiment_id):
                yield _text(news)


def _missed(services: Services, kinds: list[EventKind], about: int | None, begin: int) -> list[Event]:
    with services.reading() as session:
        return events.following(session, begin, kinds=kinds, experiment_id=about, limit=REPLAY)


def _experiment_id(services: Services, search: str) -> int:
    with services.reading() as session:
        return experiments.find(session, search).id


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _text(event: Event) -> str:
    return f"id: {event.id}\nevent: {event.kind.value}\ndata: {json.dumps(event_document(event))}\n\n"
