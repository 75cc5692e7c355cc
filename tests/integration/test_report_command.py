"""`paretofarm report` on stored results: what the page says, and what it never lets through."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from factories import store_experiment, store_phone
from finished_search import Finished, complete, propose, store_finished
from services import RunningPostgres

from cli.main import main
from cli.report.blocks import Words
from cli.report.sections import device
from cli.report.sections.evolution import film
from db.artifacts import ArtifactStore
from db.dossier import read_dossier
from db.dossier.run import kind_of_rejection
from db.session import Database
from paretofarm.lifecycle import CandidateStatus
from paretofarm.picks import Pick

MIOU = {"name": "miou", "goal": "maximize"}
LATENCY = {"name": "latency_ms", "goal": "minimize", "device": "virtual"}
PARAMETERS = {"name": "parameters", "goal": "minimize"}
VOID = {"meta", "link", "input", "img", "br"}
SECTIONS = ("found", "simulated", "front", "evolution", "hypervolume", "full-training", "curves", "device", "pictures",
            "classes", "sizes", "failures", "cost", "settings")  # fmt: skip


class Page(HTMLParser):
    """A page in parts. problems: tags that do not fit; asked: addresses that a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.tags: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.asked += [value for name in ("src", "href", "data", "srcset") if (value := given.get(name))]
        if tag == "section":
            self.anchors.append(given["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)


@pytest.fixture(scope="module")
def address(
    postgres: RunningPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Of a database with a finished search: made once, since reports change nothing."""
    folder = tmp_path_factory.mktemp("report")
    url = postgres.create_database("report_command", template_database)
    database = Database(url)
    store_finished(database, ArtifactStore((folder / "store").as_uri()), folder)
    with database.transaction() as session:
        store_experiment(session, name="empty")
        phone, rng = store_phone(session), np.random.default_rng(5)
        for name, objectives in (("single", [MIOU]), ("three", [MIOU, LATENCY, PARAMETERS])):
            search = store_experiment(session, name=name, objectives=objectives, rates={"gpu_hour": 2.5})
            for place, candidate_id in enumerate(propose(session, search, rng, 3), 1):
                complete(session, candidate_id, phone, latency_ms=place, miou=0.2 * place, epochs=2)
    database.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARETOFARM_DATABASE_URL", url)
        patch.setenv("PARETOFARM_ARTIFACTS", (folder / "store").as_uri())
        patch.setenv("PARETOFARM_CACHE", str(folder / "cache"))
        yield url


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("written") / "report.html"
    result = run(Finished.search, "--out", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(f"{path}: ")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    return path.read_text(encoding="utf-8")


def words(page: str, anchor: str) -> str:
    """Of one section, without tags."""
    (section,) = re.findall(rf'<section id="{anchor}".*?</section>', page, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split())


def test_it_is_one_whole_page_that_asks_for_nothing(page: str) -> None:
    parsed = Page(page)
    assert parsed.problems == parsed.open == []
    assert tuple(parsed.anchors) == SECTIONS
    assert [each for each in parsed.asked if not each.startswith(("data:", "#"))] == []
    assert "default-src 'none'" in page
    assert "@import" not in page and "url(" not in page


def test_what_comes_from_outside_is_escaped(page: str) -> None:
    assert "<b>" not in page
    assert "hair & <b>" in words(page, "classes")
    assert "name: faces-demo # <b>" in words(page, "settings")
    assert Page(page).tags.count("script") == 2


def test_it_tells_what_was_found(page: str) -> None:
    found = words(page, "found")
    assert "faces-demo tried 11 architectures; 9 came to their end, trained for 1 epoch. 4 of them are on" in found
    assert "trained to the end (3 epochs)" in found
    assert "as faces-demo-final: 3 of them are still on the front" in found
    assert re.findall(r"(Fastest|Knee|Most accurate) latency on virtual \(ms\) ([\d.]+)", found) == [
        ("Fastest", "1.10"),
        ("Knee", "2.20"),
        ("Most accurate", "8.80"),
    ]
    assert found.count("paretofarm export") == 3


def test_what_is_simulated_is_said(page: str) -> None:
    assert "virtual is no handset" in words(page, "simulated")
    assert "latencies of a simulated phone" in page


def test_who_fell_off_the_front_is_grey(page: str) -> None:
    told = words(page, "full-training")
    assert "3 networks stayed on the front; 1 other fell off it" in told
    assert "miou rose for 4 of 4" in told
    assert "Spearman's ρ 0.80, Kendall's τ 0.67 over 4 networks" in told
    assert page.count('<tr class="fallen">') == 2
    assert 'class="dot fallen"' in page


def test_scores_of_the_device_stand_beside_float32(page: str) -> None:
    told = words(page, "device")
    assert "6 images of the test split on virtual (simulated)" in told
    assert "0.80 (0.76–0.83)" in told or "0.800 (0.760–0.830)" in told
    assert "+0.0100 mse" in told
    assert "over which images happened to be in the test set (bootstrap)" in told


def test_a_score_without_images_of_its_own_has_no_error_bar(address: str) -> None:
    database = Database(address)
    dossier = read_dossier(database, Finished.search)
    database.dispose()
    without = [
        replace(each, candidate=replace(each.candidate, intervals={}), calibration=None) for each in dossier.networks
    ]
    texts = [
        block.text
        for block in device.section(replace(dossier, networks=tuple(without))).blocks
        if isinstance(block, Words)
    ]
    assert "The scores have no error bars" in texts[-1]


def test_random_search_is_compared_at_equal_cost(page: str) -> None:
    told = words(page, "hypervolume")
    assert "After 9 candidates faces-demo (evolution_pareto) stands at" in told
    assert "ahead of random search (faces-demo-control)" in told


def test_images_are_shown_with_what_three_networks_make_of_them(page: str) -> None:
    told = words(page, "pictures")
    assert "4 images of 6 of the test split" in told
    assert "quantized to int8" in told
    assert told.count("25% right") == 4 * 3
    assert page.count("data:image/png;base64,") == 4 * 5


def test_failures_are_counted_by_reason(page: str) -> None:
    told = words(page, "failures")
    assert "faces-demo infeasible parameters must be at most 5e+07 1" in told
    assert "faces-demo failed build: OutOfMemory 1" in told


def test_without_prices_there_is_no_money(page: str) -> None:
    assert "has no prices" in words(page, "cost")


def test_the_search_that_trained_them_to_the_end_tells_the_same(address: str, page: str, tmp_path: Path) -> None:
    path = tmp_path / "final.html"
    assert run(Finished.final, "--out", path).exit_code == 0
    told = path.read_text(encoding="utf-8")
    assert words(told, "found") == words(page, "found")


def test_a_control_is_a_search_of_its_own(address: str, tmp_path: Path) -> None:
    path = tmp_path / "control.html"
    assert run(Finished.control, "--out", path).exit_code == 0
    told = path.read_text(encoding="utf-8")
    assert "has not been finished" in words(told, "full-training")
    assert "They have not been trained to the end yet" in words(told, "found")
    assert "There are no sample images" in words(told, "pictures")
    assert "No network was scored on a device" in words(told, "device")


def test_without_the_store_it_says_why_there_are_no_images(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETOFARM_ARTIFACTS", (tmp_path / "elsewhere").as_uri())
    assert run(Finished.search, "--out", tmp_path / "report.html").exit_code == 0
    told = words((tmp_path / "report.html").read_text(encoding="utf-8"), "pictures")
    assert re.match(r"Sample images There are no sample images: artifact \w+ is not in the store", told)


@pytest.mark.parametrize(("name", "film"), [("single", False), ("three", True)])
def test_one_or_three_objectives_make_a_page_too(address: str, tmp_path: Path, name: str, film: bool) -> None:
    path = tmp_path / "report.html"
    assert run(name, "--out", path).exit_code == 0
    told = path.read_text(encoding="utf-8")
    assert (Page(told).problems, tuple(Page(told).anchors)) == ([], SECTIONS)
    assert ('<figure class="film"' in told) == film
    assert 'class="line front"' not in told
    assert "Together 0.00 EUR, at 2.5 an hour of GPU" in words(told, "cost")
    assert "there are none yet" in words(told, "hypervolume")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "there is no search 'nowhere'"),
        (["empty"], "empty has no complete and feasible candidate yet: there is nothing to report"),
        ([Finished.search, "--device", "pixel"], "knows no device class 'pixel'"),
        ([Finished.search, "--out", "no/such/folder/report.html"], "cannot be written: No such file or directory"),
        ([Finished.search, "--out", "."], "is a directory"),
    ],
)
def test_wrong_input_is_one_line(
    address: str, arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_last_picture_of_the_film_is_the_front(address: str) -> None:
    database = Database(address)
    dossier = read_dossier(database, Finished.search)
    database.dispose()
    run = dossier.own
    told = film(run)
    assert [told.total, len(told.frames)] == [9, 9]
    still = {
        (dot.x, dot.y) for dot, (first, until) in zip(told.chart.dots, told.frames, strict=True) if first <= 9 < until
    }
    assert still == {(member.metrics["latency_ms"], member.metrics["miou"]) for member in run.front.members}
    assert {(dot.x, dot.y) for dot in told.chart.dots if dot.kind == "front"} == still
    assert dossier.network(Pick.BEST) in dossier.networks


def test_reasons_lose_what_differs_between_candidates() -> None:
    infeasible, failed = CandidateStatus.INFEASIBLE, CandidateStatus.FAILED
    assert kind_of_rejection(infeasible, "macs is 6e+07, must be at most 5e+07") == "macs must be at most 5e+07"
    assert kind_of_rejection(failed, "train: OutOfMemory: 4 GiB: more") == "train: OutOfMemory"
    assert kind_of_rejection(failed, "") == ""
