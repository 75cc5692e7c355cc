"""A report in headless Chromium, opened as the file that it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, chromium
from click.testing import CliRunner
from finished_search import Finished, store_finished
from services import RunningPostgres

from cli.main import main
from db.artifacts import ArtifactStore
from db.session import Database

TOTAL = 9
FILM = "document.querySelector('figure.film')"


@pytest.fixture(scope="module")
def report(postgres: RunningPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    url = postgres.create_database("report_page", template_database)
    database = Database(url)
    store_finished(database, ArtifactStore((folder / "store").as_uri()), folder)
    database.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARETOFARM_DATABASE_URL", url)
        patch.setenv("PARETOFARM_ARTIFACTS", (folder / "store").as_uri())
        patch.setenv("PARETOFARM_CACHE", str(folder / "cache"))
        result = CliRunner().invoke(main, ["report", Finished.search, "--out", str(folder / "report.html")])
    assert result.exit_code == 0, result.output
    return folder / "report.html"


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(opened: Browser, report: Path) -> Iterator[Browser]:
    """No test leaves anything on the console."""
    opened.base = report.as_uri()
    opened.resize(1100, 1000)
    opened.prefer("light")
    opened.complaints()
    opened.open("")
    yield opened
    assert opened.complaints() == []


def film(browser: Browser) -> tuple[int, int, str]:
    """Dots that are there, dots on the front, the staircase."""
    dots, members, path = browser.run(
        f"const svg = {FILM}.querySelector('svg.wide');"
        "return [svg.querySelectorAll('circle:not(.later)').length, svg.querySelectorAll('circle.front').length,"
        " svg.querySelector('path.front').getAttribute('d')]"
    )
    return dots, members, path


def test_everybody_can_use_it_in_both_schemes_and_on_a_phone(browser: Browser) -> None:
    browser.keep("report-light")
    assert browser.barriers() == []
    browser.prefer("dark")
    browser.keep("report-dark")
    assert browser.barriers("color-contrast") == []
    browser.resize(360, 740)
    browser.until("return innerWidth === 360")
    browser.keep("report-phone")
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    assert browser.run("return getComputedStyle(document.querySelector('svg.wide')).display") == "none"


def test_the_film_plays_to_its_end(browser: Browser) -> None:
    last = film(browser)
    assert last[:2] == (TOTAL, 4)
    browser.run(
        f"window.seen = []; new MutationObserver(() => window.seen.push({FILM}.querySelector('input').value))"
        f".observe({FILM}.querySelector('output'), {{childList: true}})"
    )
    browser.click("figure.film button")
    browser.until(f"return window.seen.length > 1 && {FILM}.querySelector('button').textContent === '▶ Play'")
    counts = browser.run("return window.seen.map(Number)")
    assert counts == sorted(counts)
    assert counts[0] < TOTAL
    assert counts[-1] == TOTAL
    assert film(browser)[:2] == last[:2]


def test_the_slider_shows_the_front_of_then(browser: Browser) -> None:
    slide = (
        f"const slider = {FILM}.querySelector('input'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    drawn = browser.run(f"return {FILM}.querySelector('svg.wide path.front').getAttribute('d')")
    browser.run(slide, 1)
    dots, members, path = film(browser)
    assert (dots, members) == (1, 1)
    assert "H" not in path
    assert "1 of 9 candidates, 1 on the front" in browser.text("figure.film output")
    browser.run(slide, 3)
    assert film(browser)[:2] == (3, 3)
    browser.run(slide, TOTAL)
    assert film(browser)[2].replace(" ", "") == drawn.replace(" ", "")


def test_paper_gets_the_last_picture_and_every_detail(browser: Browser) -> None:
    slide = f"const slider = {FILM}.querySelector('input'); slider.value = 1; slider.dispatchEvent(new Event('input'))"
    browser.run(slide)
    pdf = browser.chrome.print_page()
    assert len(pdf) > 10_000
    assert film(browser)[0] == TOTAL
    assert browser.run("return [...document.querySelectorAll('details')].every((each) => each.open)")
    browser.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.run(f"return getComputedStyle({FILM}.querySelector('.controls')).display") == "none"
    browser.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_without_a_script_it_is_all_there_but_the_film(browser: Browser) -> None:
    browser.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.chrome.get(browser.base)
        assert not browser.all("figure.film .controls")[0].is_displayed()
        assert browser.all("figure.film svg.wide")[0].is_displayed()
    finally:
        browser.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
