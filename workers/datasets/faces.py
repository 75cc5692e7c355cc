"""Writes drawn faces in the on-disk format of FaceSynthetics, one flat folder:

`NNNNNN.png` (RGB), `NNNNNN_seg.png` (class ids), `NNNNNN_ldmks.txt` (70 lines "x y", in pixels).
"""

import fcntl
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from paretofarm.errors import ConfigError, DataError
from workers.datasets.face_drawers import draw_in_processes
from workers.datasets.face_set import FaceSet, write_atomically

# Goes up whenever the same seed draws something else.
GENERATOR_VERSION = 1
MANIFEST = "faces.json"
MOST_FACES = 1_000_000
SMALLEST, LARGEST = 16, 2048
# Starting a process takes as long as drawing about this many faces.
WORTH_A_PROCESS = 40

Progress = Callable[[int], None]


def write_faces(
    out: Path, count: int, size: int, seed: int, progress: Progress | None = None, *, processes: int | None = None
) -> None:
    """Completes `out` to the first `count` faces of a set; `progress` hears how many are there.

    Face i depends on (seed, i, size) alone, so a smaller set is a prefix of a larger one, an interrupted or damaged
    folder is completed, face by face, and any number of `processes` (None: one a core, where there is work for them)
    writes the same bytes. A second call in the same folder waits for the first. Errors: `ConfigError` (impossible
    numbers), `DataError` (the folder holds something else, or cannot be written), `WorkerCrashed` (a process died).
    """
    _check_numbers(count, size, seed)
    faces = FaceSet(out, size, seed)
    try:
        _claim_folder(out, size, seed)
        with _sole_writer(out / MANIFEST) as lock:
            _complete(faces, count, progress or (lambda done: None), processes, lock)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error


def count_faces(out: Path) -> int:
    """How many faces with labels a folder holds."""
    return sum(1 for _ in out.glob("[0-9]*_seg.png"))


def _complete(faces: FaceSet, count: int, progress: Progress, processes: int | None, lock: int) -> None:
    missing = list(_missing(faces, count, progress))
    done = itertools.count(count - len(missing) + 1)

    def drawn(more: int) -> None:
        for _ in range(more):
            progress(next(done))

    if processes is None:
        processes = min(os.cpu_count() or 1, len(missing) // WORTH_A_PROCESS)
    try:
        if processes > 1:
            draw_in_processes(faces, count, processes, lock, drawn)
        else:
            _draw_here(faces, missing, drawn)
    except BaseException:
        faces.discard_unfinished()
        raise


def _missing(faces: FaceSet, count: int, progress: Progress) -> Iterator[int]:
    present = itertools.count(1)
    for index in range(count):
        if faces.is_complete(index):
            progress(next(present))
        else:
            yield index


def _draw_here(faces: FaceSet, missing: list[int], drawn: Progress) -> None:
    for index in missing:
        faces.draw(index)
        drawn(1)


@contextmanager
def _sole_writer(manifest: Path) -> Iterator[int]:
    """Keeps other writers waiting until the file that this yields is closed, here and in processes that inherit it."""
    # NFS wants a writable file for an exclusive lock; a complete folder may be read-only.
    descriptor = os.open(manifest, os.O_RDWR if os.access(manifest, os.W_OK) else os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _check_numbers(count: int, size: int, seed: int) -> None:
    if not 1 <= count <= MOST_FACES:
        raise ConfigError(f"count is {count}; it must be 1 to {MOST_FACES}")
    if not SMALLEST <= size <= LARGEST or size % 2:
        raise ConfigError(f"size is {size}; it must be an even number from {SMALLEST} to {LARGEST}")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; it must not be negative")


def _claim_folder(out: Path, size: int, seed: int) -> None:
    """Marks the folder as ours, so that another set, or a real download, is never mixed with this one."""
    wanted = {"generator": "paretofarm data faces", "version": GENERATOR_VERSION, "seed": seed, "size": size}
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / MANIFEST
    if manifest.exists():
        present = _read_manifest(manifest)
        if present != wanted:
            differing = ", ".join(f"{key} {present.get(key)}" for key in wanted if present.get(key) != wanted[key])
            raise DataError(f"{out}: holds another set of faces ({differing}); choose another folder")
    elif any(out.glob("*.png")):
        raise DataError(f"{out}: holds images that `paretofarm data faces` did not write; choose another folder")
    else:
        write_atomically(manifest, json.dumps(wanted).encode())


def _read_manifest(path: Path) -> dict[str, object]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{path}: must be a JSON object")
    return manifest
