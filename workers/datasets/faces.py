"""Writes drawn faces in the on-disk format of FaceSynthetics, one flat folder:

`NNNNNN.png` (RGB), `NNNNNN_seg.png` (class ids), `NNNNNN_ldmks.txt` (70 lines "x y", in pixels).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from paretofarm.errors import ConfigError, DataError
from workers.datasets.drawn_faces.drawing import DrawnFace, draw_face

# Goes up whenever the same seed draws something else.
GENERATOR_VERSION = 1
MANIFEST = "faces.json"
LANDMARKS = 70
MOST_FACES = 1_000_000
SMALLEST, LARGEST = 16, 2048

Progress = Callable[[int], None]


def write_faces(out: Path, count: int, size: int, seed: int, progress: Progress | None = None) -> None:
    """Completes `out` to the first `count` faces of a set; `progress` hears how many are there.

    Face i depends on (seed, i, size) alone, so a smaller set is a prefix of a larger one, and an interrupted or
    damaged folder is completed, face by face. Errors: `ConfigError` (impossible numbers), `DataError` (the folder holds
    something else, or cannot be written).
    """
    _check_numbers(count, size, seed)
    try:
        _claim_folder(out, size, seed)
        for index in range(count):
            if not _is_complete(out, index, size):
                _write(out, index, draw_face(seed, index, size))
            if progress is not None:
                progress(index + 1)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error


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
        _write_atomically(manifest, json.dumps(wanted).encode())


def _read_manifest(path: Path) -> dict[str, object]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{path}: must be a JSON object")
    return manifest


def _paths(out: Path, index: int) -> tuple[Path, Path, Path]:
    return out / f"{index:06d}.png", out / f"{index:06d}_seg.png", out / f"{index:06d}_ldmks.txt"


def _is_complete(out: Path, index: int, size: int) -> bool:
    picture, labels, landmarks = _paths(out, index)
    try:
        lines = landmarks.read_text(encoding="ascii").splitlines()
        return len(lines) == LANDMARKS and _is_intact(picture, "RGB", size) and _is_intact(labels, "L", size)
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def _is_intact(path: Path, mode: str, size: int) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.mode == mode and image.size == (size, size)
    except FileNotFoundError:
        return False
    except (OSError, SyntaxError, ValueError):
        return False


def _write(out: Path, index: int, face: DrawnFace) -> None:
    picture, labels, landmarks = _paths(out, index)
    _save_atomically(picture, face.picture)
    _save_atomically(labels, face.labels)
    lines = "".join(f"{x:.3f} {y:.3f}\n" for x, y in face.landmarks)
    _write_atomically(landmarks, lines.encode("ascii"))


def _save_atomically(path: Path, image: Image.Image) -> None:
    unfinished = _unfinished(path)
    image.save(unfinished, "PNG")
    os.replace(unfinished, path)


def _write_atomically(path: Path, content: bytes) -> None:
    unfinished = _unfinished(path)
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def _unfinished(path: Path) -> Path:
    """Hidden, so that readers pass it over; always the same name, so that a killed run leaves no litter for long."""
    return path.with_name(f".{path.name}.unfinished")
