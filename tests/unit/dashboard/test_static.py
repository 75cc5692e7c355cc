"""What the browser is given: vendored files as they came, nothing inline, nothing from elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest

from dashboard.static_files import FOLDER, static_url

TEMPLATES = Path(__file__).parents[3] / "dashboard" / "pages" / "templates"
OURS = [*(FOLDER / "js").glob("*.js"), FOLDER / "app.css", *TEMPLATES.glob("*.html")]


def test_what_is_vendored_is_what_was_published() -> None:
    table = (FOLDER / "vendor" / "README.md").read_text(encoding="utf-8")
    file, digest = re.findall(r"^\| `(\S+\.js)` .*`([0-9a-f]{64})` \|$", table, re.MULTILINE)[0]
    assert hashlib.sha256((FOLDER / "vendor" / file).read_bytes()).hexdigest() == digest


def test_what_is_vendored_comes_with_its_licences() -> None:
    names = {path.name for path in (FOLDER / "vendor").iterdir()}
    assert {"echarts.LICENSE.txt", "echarts.NOTICE.txt", "zrender.LICENSE.txt", "d3.LICENSE.txt"} <= names


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    """The name of SVG's vocabulary is no address that anybody asks."""
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(", text)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_nothing_is_inline(path: Path) -> None:
    """The content security policy would refuse it."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("path", sorted((FOLDER / "js").glob("*.js")), ids=lambda path: path.name)
def test_text_is_never_parsed_as_markup(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text("utf-8"))


def test_imported_modules_exist() -> None:
    for path in (FOLDER / "js").glob("*.js"):
        for name in re.findall(r'from "\./(\S+)"', path.read_text(encoding="utf-8")):
            assert (FOLDER / "js" / name).exists(), f"{path.name} imports {name}"


def test_an_address_changes_with_the_content() -> None:
    digest = hashlib.sha256((FOLDER / "app.css").read_bytes()).hexdigest()
    assert static_url("app.css") == f"/static/app.css?v={digest[:12]}"
