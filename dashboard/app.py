"""The application: everything that answers a request, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from dashboard import api, health, problems
from dashboard.auth.login_limit import LoginLimit
from dashboard.feed import Feed
from dashboard.gatekeeper import Gatekeeper
from dashboard.pages import api_page, candidate_pages, farm_pages, login, search_pages, visitor
from dashboard.pages.rendering import Templates
from dashboard.services import Services
from dashboard.static_files import mount_static

DESCRIPTION = """Searches, candidates, fronts, artifacts and phones of a paretofarm.

Send `Authorization: Bearer pf_…`; `paretofarm token create NAME --scope read|operate|admin` makes tokens. Errors are
problem documents (RFC 9457). Times are UTC, latencies milliseconds, sizes bytes; whatever a simulated phone had a hand
in says `simulated`."""


def create_app(services: Services) -> FastAPI:
    """An application on these services, for any ASGI server. Nothing is started before it runs."""
    app = FastAPI(
        title="paretofarm",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_name,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.feed = Feed(services.database, services.meter)
    app.state.templates = Templates()
    app.state.login_limit = LoginLimit()
    problems.install(app)
    visitor.install(app)
    mount_static(app)
    app.include_router(api.router)
    for part in (health, login, api_page, search_pages, candidate_pages, farm_pages):
        app.include_router(part.router)
    app.add_middleware(Gatekeeper, entrance=services.entrance, meter=services.meter)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    feed: Feed = app.state.feed
    feed.start()
    try:
        yield
    finally:
        feed.close()
        await to_thread.run_sync(feed.join)


def _operation_name(route: APIRoute) -> str:
    """The name of the function: what generated clients call it."""
    return route.name
