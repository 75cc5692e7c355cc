"""The web page through a real run of the demo: `paretofarm up`, a small search with three objectives, a browser."""

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from urllib.request import urlopen

import numpy as np
import pytest
from browser import Browser, chromium
from demo_farm import CANDIDATES, NAME, Demo, running_demo
from selenium.webdriver.common.keys import Keys
from services import wait_until
from sqlalchemy import text

from paretofarm import pareto

LIVE_S = 2.0
RUN_S = 400.0
SEARCH = f"/searches/{NAME}"
SCATTER = ".chart-frame .chart"
OBJECTIVES = "SELECT c.id, x1, x2, x3 FROM objective_points p JOIN candidates c ON c.id = p.candidate_id ORDER BY c.id"
PAGES = {
    "searches": "/",
    "search": SEARCH,
    "candidate": "/candidates/{best}",
    "pick": f"{SEARCH}/pick",
    "compare": "/compare?candidates=1,{best}",
    "compare-searches": f"/compare?searches={NAME}",
    "phones": "/phones",
    "workers": "/workers",
    "events": "/events",
    "api": "/docs",
}


@dataclass(frozen=True)
class Watched:
    """A search that was watched from its first candidate to its last. lags: seconds from the database to the page."""

    demo: Demo
    browser: Browser
    lags: tuple[float, ...]
    complaints: tuple[str, ...]
    best: int


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo, chromium() as browser:
        browser.base = demo.address
        browser.resize(1360, 1000)
        demo.start()
        browser.open(SEARCH)
        lags = watch(demo, browser)
        best = front_ids(demo)[0]
        yield Watched(demo, browser, lags, tuple(browser.complaints()), best)


@pytest.fixture
def browser(watched: Watched) -> Iterator[Browser]:
    """As wide as a laptop. No test leaves anything on the console."""
    watched.browser.resize(1360, 1000)
    watched.browser.prefer("light")
    yield watched.browser
    assert watched.browser.complaints() == []


def watch(demo: Demo, browser: Browser) -> tuple[float, ...]:
    """Until the search is over: how much later than the database the page knew of each candidate."""
    lags: list[float] = []
    deadline = time.monotonic() + RUN_S
    known = demo.complete()
    while not demo.is_finished():
        assert time.monotonic() < deadline, f"{known} of {CANDIDATES} candidates are complete after {RUN_S:.0f} s"
        now = demo.complete()
        if now > known:
            known, began = now, time.monotonic()
            browser.until(f"return Number(document.querySelector('#page').dataset.complete) >= {now}")
            lags.append(time.monotonic() - began)
        time.sleep(0.05)
    return tuple(lags)


def front_ids(demo: Demo) -> list[int]:
    """Of three objectives, worked out here."""
    with demo.database.transaction() as session:
        rows = session.execute(text(OBJECTIVES)).all()
    losses = np.array([[row.x1, row.x2, row.x3] for row in rows], dtype=np.float64)
    return [rows[index].id for index in pareto.front(losses)]


def test_what_workers_and_phones_report_is_seen_within_two_seconds(watched: Watched) -> None:
    assert len(watched.lags) >= 2
    assert median(watched.lags) < LIVE_S
    assert watched.complaints == ()


def test_the_end_is_seen_without_a_reload(browser: Browser) -> None:
    browser.until("return document.querySelector('.head .badge')?.textContent === 'finished'")
    browser.until(f"return document.querySelector('{SCATTER}').dataset.points === '{CANDIDATES}'")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_a_real_search_is_usable_for_everybody(browser: Browser, watched: Watched, name: str) -> None:
    browser.open(PAGES[name].format(best=watched.best))
    browser.until("return document.querySelector('#live')?.dataset.state !== 'lost'")
    browser.keep(f"demo-{name}-light")
    assert browser.barriers() == []
    browser.prefer("dark")
    browser.keep(f"demo-{name}-dark")
    assert browser.barriers("color-contrast") == []
    browser.resize(360, 740)
    browser.until("return innerWidth === 360")
    browser.keep(f"demo-{name}-phone")
    assert browser.run("return document.documentElement.scrollWidth") <= 360


def test_the_front_is_of_all_three_objectives(browser: Browser, watched: Watched) -> None:
    browser.open(SEARCH)
    browser.until(f"return document.querySelector('{SCATTER}')?.dataset.metrics === 'latency_ms miou parameters'")
    assert browser.run(f"return Number(document.querySelector('{SCATTER}').dataset.front)") == len(
        front_ids(watched.demo)
    )


def test_from_the_plot_to_a_candidate_and_its_networks_by_keyboard(browser: Browser) -> None:
    browser.open(SEARCH)
    browser.until(f"return Number(document.querySelector('{SCATTER}')?.dataset.points) > 0")
    browser.run("document.querySelector('.chart-frame').focus()")
    browser.press(Keys.ARROW_RIGHT)
    browser.until("return document.querySelector('.hover-card svg') !== null")
    browser.press(Keys.ENTER)
    browser.until("return location.pathname.startsWith('/candidates/')")
    browser.find("section[aria-label='Learning curve'] canvas")
    assert len(browser.all(".architecture rect.layer")) > 2
    assert len(browser.all("section[aria-label='Scores per class'] tbody tr")) > 10
    assert "simulated" in browser.text("section[aria-label='Measurement on virtual']")
    with urlopen(str(browser.find("[data-key=export]").get_attribute("href")), timeout=60) as answer:
        names = zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
    assert any(name.endswith(".onnx") for name in names)


def test_a_pin_is_kept(browser: Browser, watched: Watched) -> None:
    browser.open(f"/candidates/{watched.best}")
    browser.click("[data-key=pin]")
    browser.until("return document.querySelector('[data-key=pin]').getAttribute('aria-pressed') === 'true'")
    with watched.demo.database.transaction() as session:
        assert session.scalars(text("SELECT id FROM candidates WHERE pinned_at IS NOT NULL")).all() == [watched.best]


def test_two_sliders_pick_a_real_network(browser: Browser) -> None:
    browser.open(f"{SEARCH}/pick")
    browser.until("return Number(document.querySelector('#page').dataset.answer) > 0")
    assert "mIoU in" in browser.text(".pick-answer .big")


def test_the_command_line_says_the_same(watched: Watched) -> None:
    listed = watched.demo.cli("front", NAME, "--csv").splitlines()
    assert len(listed) == len(front_ids(watched.demo)) + 1


def test_a_network_is_measured_again_and_the_search_goes_on_until_it_is(browser: Browser, watched: Watched) -> None:
    before = watched.demo.count("measurements")
    browser.open(f"/candidates/{watched.best}")
    browser.click("[data-key=rerun]")
    wait_until(lambda: watched.demo.is_finished() is False, RUN_S, "the search to go on")
    wait_until(lambda: watched.demo.is_finished(), RUN_S, "the measurement")
    assert watched.demo.complete() == CANDIDATES
    assert watched.demo.count("measurements") == before
    assert watched.demo.count("events WHERE kind = 'candidate_rerun'") == 1


def test_a_raised_search_is_stopped_resumed_and_comes_to_its_end(browser: Browser, watched: Watched) -> None:
    browser.open(SEARCH)
    browser.click("[data-key=raise]")
    browser.run(f"document.querySelector('dialog input').value = {CANDIDATES + 2}")
    browser.click("dialog button[type=submit]")
    browser.click("[data-key=stop]")
    browser.until("return document.querySelector('.head .badge')?.textContent === 'stopped'")
    browser.click("[data-key=resume]")
    browser.until(
        "return document.querySelector('.head .badge')?.textContent === 'finished'", timeout_s=RUN_S, what="its end"
    )
    assert watched.demo.complete() == CANDIDATES + 2


def test_the_best_are_trained_to_the_end(browser: Browser, watched: Watched) -> None:
    front = len(front_ids(watched.demo))
    browser.open(SEARCH)
    browser.click("[data-key=finish]")
    browser.run("document.querySelector('dialog input').value = 2")
    browser.click("dialog button[type=submit]")
    browser.until(f"return location.pathname === '{SEARCH}-final'")
    browser.until(
        "return document.querySelector('.head .badge')?.textContent === 'finished'", timeout_s=RUN_S, what="its end"
    )
    browser.keep("demo-final-light")
    assert watched.demo.count(f"candidate_metrics WHERE search = '{NAME}-final' AND device_miou IS NOT NULL") == front


def test_deleting_asks_first_and_then_leaves_nothing(browser: Browser, watched: Watched) -> None:
    browser.open(SEARCH)
    browser.click("[data-key=delete]")
    browser.click("dialog button:not([type=submit])")
    browser.until("return document.querySelector('dialog') === null")
    everything = watched.demo.complete()
    browser.click("[data-key=delete]")
    browser.click("dialog button.danger")
    browser.until("return location.pathname === '/'")
    browser.until(f"return document.querySelector('a[href=\"{SEARCH}\"]') === null")
    assert watched.demo.complete() == everything - (CANDIDATES + 2)
