"""Files of the artifact store, by content; whole or in part."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import FileResponse

from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db.artifact_lookup import known_artifact

FOR_EVER = "private, max-age=31536000, immutable"

router = APIRouter(prefix="/artifacts", tags=["artifacts"])

Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content.")]


@router.get("/{sha256}", response_class=FileResponse)
def get_artifact(sha256: Sha256, request: Request, services: Wired, _: Reader) -> Response:
    """The content, verified. Only what the database knows; `Range` and `If-None-Match` are understood."""
    with services.reading() as session:
        artifact = known_artifact(session, sha256)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": FOR_EVER}
    if sha256 in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    path = services.store.fetch(sha256)
    name = f"{artifact.kind}-{sha256[:12]}"
    return FileResponse(path, headers=headers, media_type="application/octet-stream", filename=name)
