"""Inputs of networks on a phone: pushed once, however many networks they go through.

They travel in archives of a few, whose names there are their contents' hashes: candidates of a search are scored on the
same images, so that only the first of them waits for the push.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from paretofarm.errors import PhoneOffline, PhoneStorageFull, RunnerFailed
from paretofarm.ports import DeviceLink
from paretofarm.score_batches import CHUNK

QUOTA_BYTES = 512 * 2**20
TIMEOUT_S = 120.0
# Those not used for longest go first.
_UNPACK = 'mkdir -p "$2" && [ -f "$1" ] && tar -xf "$1" -C "$2" && touch "$1"'
_FORGET = 'cd "$1" 2>/dev/null && ls -t | tail -n "+$2" | while read -r name; do rm -f "$name"; done; true'


def input_name(number: int) -> str:
    """File of an input, from 0, relative to the folder they were put into."""
    return f"inputs/{number // CHUNK}/{number % CHUNK}.raw"


def put_inputs(link: DeviceLink, inputs: Sequence[bytes], folder: str, *, home: str) -> list[str]:
    """Puts one file per input into a remote folder; their names, relative to it. home: of all that is pushed."""
    for position, chunk in enumerate(_chunks(inputs)):
        _put(link, chunk, f"{folder}/inputs/{position}", f"{home}/inputs")
    return [input_name(number) for number in range(len(inputs))]


def _chunks(inputs: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(inputs), CHUNK):
        yield _archive(inputs[start : start + CHUNK])


def _archive(inputs: Sequence[bytes]) -> bytes:
    """The same inputs always give the same bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, each in enumerate(inputs):
            entry = tarfile.TarInfo(f"{number}.raw")
            entry.size = len(each)
            archive.addfile(entry, io.BytesIO(each))
    return content.getvalue()


def _put(link: DeviceLink, chunk: bytes, folder: str, kept: str) -> None:
    remote = f"{kept}/{hashlib.sha256(chunk).hexdigest()}.tar"
    if _unpack(link, remote, folder) is None:
        return
    _push(link, chunk, remote, kept)
    problem = _unpack(link, remote, folder)
    if problem is not None:
        kind = PhoneStorageFull if "No space left" in problem else RunnerFailed
        raise kind(f"inputs cannot be unpacked on {link.serial}: {problem[-200:] or 'tar failed'}")


def _push(link: DeviceLink, chunk: bytes, remote: str, kept: str) -> None:
    _forget(link, kept, keep=max(0, QUOTA_BYTES // len(chunk) - 1))
    with NamedTemporaryFile(prefix="paretofarm-inputs-", suffix=".tar") as local:
        Path(local.name).write_bytes(chunk)
        try:
            link.push(Path(local.name), remote)
        except PhoneStorageFull:
            _forget(link, kept, keep=0)
            link.push(Path(local.name), remote)


def _unpack(link: DeviceLink, archive: str, folder: str) -> str | None:
    """None where it worked, else what was complained of: of an archive that is not there nothing at all."""
    done = link.run(["sh", "-c", _UNPACK, "sh", archive, folder], timeout_s=TIMEOUT_S)
    return None if done.exit_code == 0 else done.stderr.strip()


def _forget(link: DeviceLink, kept: str, *, keep: int) -> None:
    done = link.run(["sh", "-c", _FORGET, "sh", kept, str(keep + 1)], timeout_s=TIMEOUT_S)
    if done.exit_code != 0:
        raise PhoneOffline(f"{link.serial}: {kept} cannot be cleaned: {done.stderr.strip()}")
