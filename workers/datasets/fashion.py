"""Real images for classification: Zalando's Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747), as Debian ships it."""

import os
import shutil
from pathlib import Path

from paretofarm.errors import DataError
from workers.datasets.class_names import CLASSES_TXT

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("/usr/share/datasets/fashion-mnist")
"""Where the package puts them."""
FASHION_CLASS_NAMES = (
    *("t_shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle_boot"),
)
FILES = tuple(f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
IMAGES = 70_000
LICENCE = """\
Fashion-MNIST, Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def write_fashion(out: Path, source: Path = INSTALLED) -> int:
    """Writes the four files, the classes' names and the licence to `out`; how many images they hold.

    A folder that is complete already is left as it is. `DataError` where the package is not installed, or `out` holds
    something else or cannot be written.
    """
    names = {*FILES, CLASSES_TXT}
    try:
        if out.is_dir() and names <= {file.name for file in out.iterdir()}:
            return IMAGES
        if out.exists() and any(out.iterdir()):
            raise DataError(f"{out}: holds something else already; choose another folder")
        _require(source)
        unfinished = out.with_name(f".{out.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(source / name, unfinished / name)
        (unfinished / CLASSES_TXT).write_text("".join(f"{name}\n" for name in FASHION_CLASS_NAMES), encoding="utf-8")
        (unfinished / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")
        os.replace(unfinished, out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    return IMAGES


def _require(source: Path) -> None:
    if missing := [name for name in FILES if not (source / name).is_file()]:
        raise DataError(f"{source / missing[0]}: missing: apt-get install {PACKAGE}, or say where it is with --source")
