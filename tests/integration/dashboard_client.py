"""The application on a database of its own, asked in the same process: no port, no waiting."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from services import wait_until

from dashboard.app import create_app
from dashboard.auth.entrance import Entrance
from dashboard.services import Services
from db import api_tokens
from db.artifacts import ArtifactStore
from db.session import Database
from paretofarm.access import KEY_BYTES, SECRET_BYTES, ApiToken, Scope

BASE_URL = "http://127.0.0.1:8080"


def make_app(database: Database, store: Path, *, open: bool = False, **services: Any) -> FastAPI:
    """Bound to loopback, as far as it knows."""
    entrance = services.pop("entrance", None) or Entrance("127.0.0.1", open=open)
    return create_app(Services(database, ArtifactStore(store.as_uri()), entrance, code_version="test", **services))


def make_token(database: Database, scope: Scope, *, lifetime: timedelta | None = None) -> str:
    token = ApiToken.from_entropy(os.urandom(KEY_BYTES + SECRET_BYTES))
    with database.transaction() as session:
        api_tokens.store(session, token, name=f"{scope.value} token", scope=scope, lifetime=lifetime)
    return token.text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def asking(app: FastAPI, token: str | None = None) -> Iterator[TestClient]:
    headers = bearer(token) if token else {}
    with TestClient(app, base_url=BASE_URL, headers=headers, raise_server_exceptions=False) as client:
        yield client


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Its address: the application on a free port, for what needs a connection."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started, what="the dashboard to answer")
        try:
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            app.state.feed.close()
            server.should_exit = True
            thread.join(10)
