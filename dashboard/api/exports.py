"""A candidate's networks as a zip file: what `paretofarm export` writes to a folder."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from dashboard.api.parameters import CandidateId
from dashboard.auth.identity import Reader
from dashboard.services import Wired
from db import exports
from db.artifacts import ArtifactStore
from db.exports import Export
from paretofarm.export import texts

CHUNK_BYTES = 1 << 18
NO_INT8 = "There is no int8 network with trained weights: `paretofarm export {id}` makes one."

router = APIRouter(tags=["candidates"])


@router.get(
    "/candidates/{candidate_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def export_candidate(candidate_id: CandidateId, services: Wired, _: Reader) -> StreamingResponse:
    """Its networks, metrics, a model card and a program that runs them. `gc` keeps what was exported.

    An int8 network that was never made needs the data set, so that only `paretofarm export` makes it.
    """
    with services.reading() as session:
        export = exports.prepare(session, candidate_id)
    if export.lacks_int8():
        missing = (*export.facts.missing, NO_INT8.format(id=candidate_id))
        export = replace(export, facts=replace(export.facts, missing=missing))
    content = _zip(export, services.store)
    with services.writing() as session:
        exports.mark(session, candidate_id)
    headers = {"Content-Disposition": f'attachment; filename="{export.name}.zip"'}
    return StreamingResponse(_chunks(content), media_type="application/zip", headers=headers)


def _zip(export: Export, store: ArtifactStore) -> IO[bytes]:
    """On disk, whole before anything is sent: an artifact that is missing is an error rather than half a file."""
    content = TemporaryFile()  # noqa: SIM115 (closed by whoever sends it)
    try:
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, artifact in export.artifacts.items():
                archive.write(store.fetch(artifact), f"{export.name}/{name}")
            for name, text in texts(export.facts).items():
                archive.writestr(f"{export.name}/{name}", text)
        content.seek(0)
    except BaseException:
        content.close()
        raise
    return content


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk
