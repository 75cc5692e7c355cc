"""One process of `paretofarm data faces`: draws every step-th face that is missing, and says so with a byte each."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from paretofarm.errors import DataError
from workers.datasets.face_set import FaceSet

CANNOT_WRITE = 2


def main(arguments: Sequence[str]) -> int:
    # Ctrl-C reaches the whole group of processes; the parent hears it too and stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    slice_ = _parser().parse_args(arguments)
    faces = FaceSet(slice_.folder, slice_.size, slice_.seed)
    try:
        for index in range(slice_.first, slice_.count, slice_.step):
            if not faces.is_complete(index):
                faces.draw(index)
                sys.stdout.buffer.write(b".")
                sys.stdout.buffer.flush()
    except DataError as error:
        print(error, file=sys.stderr)
        return CANNOT_WRITE
    except BrokenPipeError:
        # The parent is gone, and with it whoever wanted the faces.
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.datasets.draw_faces", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("first", "step", "count", "size", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
