"""The page's own files. Asked for with their digest (`?v=`) they are kept for ever, without it asked for anew."""

import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


class CachedStaticFiles(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = FOR_EVER if versioned else REVALIDATE
        return response


def mount_static(app: FastAPI) -> None:
    app.mount("/static", CachedStaticFiles(directory=FOLDER), name="static")


@lru_cache(maxsize=256)
def static_url(name: str) -> str:
    """The address of a file of `static/`, with its digest."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
