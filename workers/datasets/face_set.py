"""One set of drawn faces on disk, face by face: what is complete, and drawing what is not."""

import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from paretofarm.errors import DataError
from workers.datasets.drawn_faces.drawing import DrawnFace, draw_face

LANDMARKS = 70


@dataclass(frozen=True)
class FaceSet:
    """size: side of the pictures in pixels. Face i depends on (seed, i, size) alone, whoever draws it."""

    folder: Path
    size: int
    seed: int

    def is_complete(self, index: int) -> bool:
        """Whether all three files are there and can be decoded."""
        picture, labels, landmarks = self._paths(index)
        try:
            lines = landmarks.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        return len(lines) == LANDMARKS and _is_intact(picture, "RGB", self.size) and _is_intact(labels, "L", self.size)

    def draw(self, index: int) -> None:
        """Writes the files of one face, each whole or not at all. Errors: `DataError`."""
        try:
            self._write(index, draw_face(self.seed, index, self.size))
        except OSError as error:
            raise DataError(f"{self.folder}: face {index} cannot be written: {error.strerror or error}") from error

    def discard_unfinished(self) -> None:
        """Removes what killed processes left; only while nobody draws."""
        for path in self.folder.glob(".*.unfinished"):
            path.unlink(missing_ok=True)

    def _paths(self, index: int) -> tuple[Path, Path, Path]:
        start = f"{index:06d}"
        return self.folder / f"{start}.png", self.folder / f"{start}_seg.png", self.folder / f"{start}_ldmks.txt"

    def _write(self, index: int, face: DrawnFace) -> None:
        picture, labels, landmarks = self._paths(index)
        _save_atomically(picture, face.picture)
        _save_atomically(labels, face.labels)
        lines = "".join(f"{x:.3f} {y:.3f}\n" for x, y in face.landmarks)
        write_atomically(landmarks, lines.encode("ascii"))


def write_atomically(path: Path, content: bytes) -> None:
    unfinished = _unfinished(path)
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def _save_atomically(path: Path, image: Image.Image) -> None:
    unfinished = _unfinished(path)
    image.save(unfinished, "PNG")
    os.replace(unfinished, path)


def _unfinished(path: Path) -> Path:
    """Hidden, so that readers pass it over; always the same name, so that a killed run leaves no litter for long."""
    return path.with_name(f".{path.name}.unfinished")


def _is_intact(path: Path, mode: str, size: int) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.mode == mode and image.size == (size, size)
    except (OSError, SyntaxError, ValueError):
        return False
