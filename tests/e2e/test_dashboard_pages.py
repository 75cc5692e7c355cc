"""The web page in headless Chromium, served by a real `paretofarm dashboard` on a database with results."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import numpy as np
import pytest
from browser import Browser, chromium
from dashboard_farm import Farm, add_many, make_farm
from dashboard_process import running_dashboard
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from services import RunningPostgres
from sqlalchemy import text

from db import api_tokens, experiments
from db.artifacts import ArtifactStore
from db.experiments import ExperimentStatus
from db.session import Database
from paretofarm import pareto
from paretofarm.access import KEY_BYTES, SECRET_BYTES, ApiToken, Scope

COMPLETE = 24
MANY = 20_000
LIVE_S = 2.0
SEARCH = "/searches/faces-demo"
SCATTER = ".chart-frame .chart"
CHILD = """
    SELECT c.id, p.id, choice.key
    FROM candidates c
    JOIN candidates p ON p.experiment_id = c.experiment_id AND p.number = c.parents[1]
    CROSS JOIN LATERAL jsonb_each(c.architecture -> 'choices') AS choice
    WHERE p.architecture -> 'choices' -> choice.key IS DISTINCT FROM choice.value
    ORDER BY c.id DESC
    LIMIT 1
"""
"""A candidate with a parent, that one, and a choice in which they differ."""
EARLIER = """
    INSERT INTO earlier_measurements (evaluation_id, measurement)
    SELECT m.evaluation_id, to_jsonb(m)
    FROM measurements m JOIN evaluations e ON e.id = m.evaluation_id
    WHERE e.candidate_id = :candidate
    RETURNING (measurement -> 'summary' ->> 'latency_ms')::float8
"""
PAGES = {
    "searches": "/",
    "search": SEARCH,
    "candidate": "/candidates/20",
    "pick": f"{SEARCH}/pick",
    "compare": "/compare?candidates=12,20,21",
    "compare-searches": "/compare?searches=faces-demo,faces-random",
    "phones": "/phones",
    "workers": "/workers",
    "events": "/events",
    "api": "/docs",
    "not-found": "/searches/nowhere",
}


@dataclass(frozen=True)
class Site:
    address: str
    farm: Farm
    url: str
    folder: Path


@pytest.fixture(scope="module")
def site(postgres: RunningPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("dashboard")
    url = postgres.create_database("dashboard_pages", template_database)
    database = Database(url, pool_size=3)
    store = ArtifactStore((folder / "store").as_uri())
    farm = make_farm(database, store, complete=COMPLETE)
    make_farm(database, store, name="faces-random", complete=10, algorithm={"type": "random"})
    with running_dashboard(url, folder / "store", folder / "dashboard.log", "--no-auth") as address:
        yield Site(address, farm, url, folder)
    database.dispose()


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(opened: Browser, site: Site) -> Iterator[Browser]:
    """As wide as a laptop. No test leaves anything on the console."""
    opened.base = site.address
    opened.resize(1360, 1000)
    opened.prefer("light")
    opened.complaints()
    yield opened
    assert opened.complaints() == []


def complete(browser: Browser) -> int:
    return int(browser.run("return Number(document.querySelector('#page').dataset.complete)"))


def points(browser: Browser) -> int:
    return int(browser.run(f"return Number(document.querySelector('{SCATTER}')?.dataset.points ?? -1)"))


def open_search(browser: Browser, name: str = "faces-demo") -> None:
    browser.open(f"/searches/{name}")
    browser.until(f"return Number(document.querySelector('{SCATTER}')?.dataset.points) > 0")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_usable_for_everybody(browser: Browser, name: str) -> None:
    """In both colour schemes and on a narrow phone; nothing on the console."""
    if name == "not-found":
        browser.chrome.get(browser.base + PAGES[name])
        browser.complaints()  # the browser itself notes the 404
    else:
        browser.open(PAGES[name])
    browser.until("return document.querySelector('#live')?.dataset.state !== 'lost'")
    browser.keep(f"{name}-light")
    assert browser.barriers() == []
    browser.prefer("dark")
    browser.keep(f"{name}-dark")
    assert browser.barriers("color-contrast") == []
    browser.resize(360, 740)
    browser.until("return innerWidth === 360")
    browser.keep(f"{name}-phone")
    assert browser.run("return document.documentElement.scrollWidth") <= 360


def test_a_page_is_reached_by_keyboard_alone(browser: Browser) -> None:
    browser.open("/")
    browser.press(Keys.TAB)
    assert browser.run("return document.activeElement.textContent") == "Skip to the content"
    browser.press(Keys.ENTER, Keys.TAB)
    assert browser.run("return document.activeElement.getAttribute('href')").startswith("/searches/")
    browser.press(Keys.ENTER)
    browser.until("return location.pathname.startsWith('/searches/')")


def test_what_happens_in_the_database_is_seen_within_two_seconds(browser: Browser, site: Site) -> None:
    open_search(browser)
    browser.until("return document.querySelector('#live').dataset.state === 'live'")
    took = []
    for _ in range(3):
        before = complete(browser)
        site.farm.complete_one()
        began = time.monotonic()
        browser.until(
            f"return Number(document.querySelector('{SCATTER}').dataset.points) > {points(browser)} || "
            f"Number(document.querySelector('#page').dataset.complete) > {before}"
        )
        took.append(time.monotonic() - began)
    assert median(took) < LIVE_S
    browser.until(f"return Number(document.querySelector('{SCATTER}').dataset.points) === {complete(browser)}")


def test_a_better_network_moves_the_front(browser: Browser, site: Site) -> None:
    open_search(browser)
    found = site.farm.complete_one(latency_ms=0.2, miou=0.95)
    browser.until(f"return document.querySelector('{SCATTER}').dataset.front === '1'")
    assert browser.find(f"tr[data-id='{found}']").is_displayed()


def test_a_brush_filters_the_table(browser: Browser) -> None:
    open_search(browser)
    rows = len(browser.all("tr[data-id]"))
    browser.drag(SCATTER, (0.15, 0.1), (0.5, 0.8))
    browser.until("return document.querySelector('input[name=where]').value.includes('latency_ms >= ')")
    browser.until(f"return document.querySelectorAll('tr[data-id]').length < {rows}")
    browser.run("[...document.querySelectorAll('button')].find((each) => each.textContent === 'Clear').click()")
    browser.until(f"return document.querySelectorAll('tr[data-id]').length === {rows}")


def test_a_condition_filters_and_a_wrong_one_says_why(browser: Browser) -> None:
    open_search(browser)
    box = browser.find("input[name=where]")
    box.send_keys("status = 'failed'", Keys.ENTER)
    browser.until("return document.querySelectorAll('tr[data-id]').length === 1")
    box.clear()
    box.send_keys("colour = 3", Keys.ENTER)
    browser.until("return document.querySelector('[role=alert]')?.textContent.includes('colour')")
    browser.complaints()  # the browser itself notes the 400


def test_a_point_tells_about_itself_and_opens(browser: Browser) -> None:
    open_search(browser)
    browser.run("document.querySelector('.chart-frame').focus()")
    browser.press(Keys.ARROW_RIGHT)
    browser.until("return !document.querySelector('.hover-card').hidden")
    assert browser.text(".chart-frame [role=status]").startswith("Candidate ")
    browser.until("return document.querySelector('.hover-card svg') !== null")
    box = browser.run("return document.querySelector('.ring').getBoundingClientRect().toJSON()")
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    browser.press(Keys.ESCAPE)
    actions = ActionChains(browser.chrome)
    actions.w3c_actions.pointer_action.move_to_location(round(place[0]), round(place[1]))
    actions.perform()
    browser.until("return !document.querySelector('.hover-card').hidden")
    actions = ActionChains(browser.chrome)
    actions.w3c_actions.pointer_action.click()
    actions.perform()
    browser.until("return location.pathname.startsWith('/candidates/')")


def test_the_evolution_is_played(browser: Browser) -> None:
    open_search(browser)
    everything = points(browser)
    browser.run(
        "const slider = document.querySelector('.evolution input'); slider.value = 5;"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert points(browser) == 5
    browser.click("[data-key=play]")
    browser.until(f"return Number(document.querySelector('{SCATTER}').dataset.points) === {everything}")


def choose(browser: Browser, key: str, value: str) -> None:
    """As somebody chooses from a list; waits until the plot is about that."""
    browser.run(
        "const list = document.querySelector(`[data-key=select-${arguments[0]}]`); list.value = arguments[1];"
        "list.dispatchEvent(new Event('change'))",
        *(key, value),
    )
    if key in ("x", "y", "z"):
        browser.until(f"return document.querySelector('{SCATTER}').dataset.metrics.split(' ').includes('{value}')")


def front_at(browser: Browser, moment: int) -> np.ndarray:
    """Of the candidates that were the first to finish."""
    with urlopen(f"{browser.base}/api/v1{SEARCH}/points?x=latency_p90_ms&y=miou&z=macs", timeout=10) as answer:
        columns = json.load(answer)["columns"]
    losses = np.array([columns["latency_p90_ms"], columns["miou"], columns["macs"]]) * [[1], [-1], [1]]
    return pareto.front(losses.T[:moment])


def test_a_third_metric_makes_a_front_of_three(browser: Browser) -> None:
    open_search(browser)
    front = f"return Number(document.querySelector('{SCATTER}').dataset.front)"
    choose(browser, "x", "latency_p90_ms")
    of_two = browser.run(front)
    choose(browser, "z", "macs")
    assert browser.run(f"return document.querySelector('{SCATTER}').dataset.metrics") == "latency_p90_ms miou macs"
    of_three = browser.run(front)
    assert of_three >= of_two  # who is on the front of two is on that of three
    assert "front of three metrics" in browser.text(".legend")
    assert browser.run("return document.querySelector('[data-key=select-colour]').value") == "third"
    assert "MACs" in browser.text(".legend")
    choose(browser, "size", "third")
    assert "the larger the more: MACs" in browser.text(".legend")
    browser.keep("search-three")
    browser.run("document.querySelector('.chart-frame').focus()")
    browser.press(Keys.ARROW_RIGHT)
    browser.until("return document.querySelector('.chart-frame [role=status]').textContent.includes('MACs')")
    browser.press(Keys.ESCAPE)
    last = points(browser)
    move = (
        "const slider = document.querySelector('.evolution input'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    for moment in (last - 1, last // 2):  # the browser's own arithmetic
        browser.run(move, moment)
        assert browser.run(front) == len(front_at(browser, moment))
    choices = "return [...document.querySelectorAll('[data-key=select-x] option')].map((option) => option.value)"
    assert "macs" not in browser.run(choices)  # no metric twice


def test_a_search_is_stopped_raised_and_resumed(browser: Browser, site: Site) -> None:
    open_search(browser)
    browser.click("[data-key=stop]")
    browser.click("[data-key=resume]")
    browser.find("[data-key=stop]")
    browser.click("[data-key=raise]")
    field = browser.find("dialog input[name=candidates]")
    field.clear()
    field.send_keys("150", Keys.ENTER)
    browser.until("return document.querySelector('.tiles').textContent.includes('of 150')")
    with site.farm.database.transaction() as session:
        stored = experiments.get(session, site.farm.search.id)
    assert stored.status is ExperimentStatus.RUNNING
    assert stored.experiment.stop.candidates == 150


def test_a_candidate_shows_all_that_is_known(browser: Browser, site: Site) -> None:
    candidate = site.farm.ids[19]
    browser.open(f"/candidates/{candidate}")
    assert len(browser.all(".architecture rect.layer")) > 5
    assert len(browser.all(".lineage .changes li")) > 0
    assert browser.find(".family .self").get_attribute("data-relative") == str(candidate)
    assert "skin" in browser.text("section[aria-label='Scores per class']")
    assert "virtual" in browser.text("section[aria-label='Measurement on virtual']")
    assert "simulated" in browser.text(".head")
    quantization = browser.text("section[aria-label='Quantization for virtual']")
    assert "percentile" in quantization and "a gap of 0.60 points" in quantization
    assert len(browser.all("section[aria-label='Quantization for virtual'] tbody tr")) == 10
    browser.click("[data-key=pin]")
    browser.until("return document.querySelector('[data-key=pin]').getAttribute('aria-pressed') === 'true'")
    links = [link.get_attribute("href") for link in browser.all("section[aria-label=Files] a[download]")]
    assert urlopen(str(links[0]), timeout=10).read().startswith(b"network of ")
    with urlopen(str(browser.find("[data-key=export]").get_attribute("href")), timeout=10) as answer:
        names = zipfile.ZipFile(io.BytesIO(answer.read())).namelist()
    assert any(name.endswith("README.md") for name in names)


def test_a_candidate_that_was_measured_again_shows_what_was_measured_before(browser: Browser, site: Site) -> None:
    candidate = site.farm.ids[5]
    with site.farm.database.transaction() as session:
        latency_ms = session.execute(text(EARLIER), {"candidate": candidate}).scalar_one()
    browser.open(f"/candidates/{candidate}")
    told = browser.text("section[aria-label='Measurement on virtual']")
    assert "Measured before" in told and f"{latency_ms:.3f} ms: the candidate's latency is what all" in told


def test_a_family_is_a_tree_whose_lines_say_what_changed(browser: Browser, site: Site) -> None:
    with site.farm.database.transaction() as session:
        child, parent, changed = session.execute(text(CHILD)).one()
    browser.open(f"/candidates/{child}")
    places = {each.get_attribute("data-relative"): each.rect["x"] for each in browser.all(".family [data-relative]")}
    assert places[str(parent)] < places[str(child)]
    assert changed in browser.text(".family .changed-text.own title")
    browser.keep("candidate-family")
    browser.run("document.querySelector(`.family [data-relative='${arguments[0]}']`).focus()", str(parent))
    browser.press(Keys.ENTER)
    browser.until(f"return location.pathname === '/candidates/{parent}'")


def test_two_sliders_pick_one_network(browser: Browser) -> None:
    browser.open(f"{SEARCH}/pick")
    browser.until("return Number(document.querySelector('#page').dataset.answer) > 0")
    first = browser.run("return document.querySelector('#page').dataset.answer")
    move = (
        "const slider = document.querySelector(arguments[0]); slider.value = arguments[1];"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    browser.run(move, "#floor", 400)
    browser.run(move, "#budget", 400)
    best = browser.run("return document.querySelector('#page').dataset.answer")
    assert best != "none"
    assert browser.find("[data-key=export]").get_attribute("href").endswith(f"/candidates/{best}/export")
    browser.run(move, "#budget", 0)
    assert browser.run("return document.querySelector('#page').dataset.answer") == "none"
    assert first != "none"


def test_ticked_candidates_are_compared(browser: Browser) -> None:
    open_search(browser)
    browser.run(
        "[...document.querySelectorAll('tr[data-id]')].filter((row) => row.querySelector('.badge.good')).slice(0, 2)"
        ".forEach((row) => row.querySelector('input').click())"
    )
    browser.click("[data-key=compare]")
    browser.until("return document.querySelectorAll('.compare-card').length === 2")
    assert len(browser.all("td.best")) > 0


def test_events_appear_as_they_happen(browser: Browser, site: Site) -> None:
    browser.open("/events")
    browser.until("return Number(document.querySelector('#page').dataset.last) > 0")
    last = browser.run("return Number(document.querySelector('#page').dataset.last)")
    site.farm.complete_one()
    browser.until(f"return Number(document.querySelector('#page').dataset.last) > {last}")
    assert "candidate finished" in browser.text("tbody")


def test_the_colour_scheme_is_chosen_and_kept(browser: Browser) -> None:
    browser.open("/")
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(ground)
    browser.click("#theme")
    dark = browser.run(ground)
    browser.open("/workers")
    assert browser.run(ground) == dark != light
    browser.run("localStorage.clear()")


def test_twenty_thousand_points_stay_fluid(browser: Browser, site: Site) -> None:
    with site.farm.database.transaction() as session:
        random = experiments.find(session, "faces-random").id
    add_many(site.farm.database, random, MANY)
    open_search(browser, "faces-random")
    assert points(browser) >= MANY
    redraw_ms = browser.run(
        "const began = performance.now(); dispatchEvent(new Event('themechange')); return performance.now() - began"
    )
    hover_ms = browser.run(
        f"const canvas = document.querySelector('{SCATTER}'); const box = canvas.getBoundingClientRect();"
        "const began = performance.now();"
        "for (let step = 0; step < 20; step += 1) canvas.dispatchEvent(new PointerEvent('pointermove',"
        " {clientX: box.x + 100 + step * 20, clientY: box.y + 150, bubbles: true}));"
        "return (performance.now() - began) / 20"
    )
    assert redraw_ms < 1500
    assert hover_ms < 50


def test_who_may_only_read_logs_in_and_finds_no_button_that_changes_anything(
    opened: Browser, site: Site, tmp_path: Path
) -> None:
    token = ApiToken.from_entropy(bytes(range(KEY_BYTES + SECRET_BYTES)))
    with site.farm.database.transaction() as session:
        api_tokens.store(session, token, name="a reader", scope=Scope.READ, lifetime=None)
    with running_dashboard(site.url, site.folder / "store", tmp_path / "log") as address:
        opened.base = address
        opened.resize(1360, 1000)
        opened.chrome.get(f"{address}{SEARCH}")
        opened.find("#token").send_keys(token.text, Keys.ENTER)
        opened.find("[data-key=pick]")
        assert opened.all("[data-key=stop]") == []
        assert opened.all("[data-key=raise]") == []
        opened.run("document.querySelector('form[action=\"/logout\"] button').click()")
        opened.find("#token")
    opened.complaints()
