"""A search that takes a minute: compose_test.yaml with fewer candidates."""

from pathlib import Path

from farm import DEMO, Farm, check, timed
from ledger import check_search
from page import check_page

TEMPLATE = Path(__file__).with_name("compose_test.yaml")
SEARCH, CANDIDATES = "compose-test", 8
TIMEOUT_S = 900.0


def write_experiments(folder: Path) -> None:
    """compose_test.yaml and small.yaml, for `experiments/` of a deployment whose PARETOFARM_EXPERIMENTS this is."""
    text = TEMPLATE.read_text(encoding="utf-8")
    (folder / TEMPLATE.name).write_text(text)
    (folder / "small.yaml").write_text(text.replace("{candidates: 24}", f"{{candidates: {CANDIDATES}}}"))


def check_small_search(farm: Farm) -> str:
    """From the data set to the front; what `front --json` says."""
    make_faces(farm)
    farm.up(*DEMO)
    timed("the search", lambda: start_search(farm))
    check_search(farm, SEARCH, CANDIDATES)
    front = farm.cli("front", SEARCH, "--json")
    check("latency_ms" in front, "the front is printed")
    check_page(farm, SEARCH)
    return front


def make_faces(farm: Farm) -> None:
    farm.run("data", "faces", "--count", "200", "--size", "64", "--out", "data/faces")


def start_search(farm: Farm) -> None:
    """Returns once it is over."""
    farm.cli("search", "start", "experiments/small.yaml", "--wait", timeout_s=TIMEOUT_S)
