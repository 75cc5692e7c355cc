"""The metrics as pure data: conventions that hold for every one of them."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from paretofarm.instrument import Instrument, Kind, Process
from paretofarm.instruments import INSTRUMENTS, instruments_of

DOCUMENT = Path(__file__).parents[3] / "docs/metrics.md"
UNBOUNDED = {"candidate", "candidate_id", "evaluation_id", "attempt", "owner", "reason", "digest"}
SUFFIX = {"seconds": "_seconds", "bytes": "_bytes", "ratio": "_ratio", "celsius": "_celsius"}

every = pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.name)


@every
def test_a_name_is_in_lower_case_and_ends_with_its_unit(instrument: Instrument) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", instrument.name)
    assert instrument.name.endswith(SUFFIX.get(instrument.unit, ""))


@every
def test_only_counters_are_totals(instrument: Instrument) -> None:
    assert instrument.name.endswith("_total") is (instrument.kind is Kind.COUNTER)


@every
def test_labels_are_bounded(instrument: Instrument) -> None:
    assert not UNBOUNDED & set(instrument.labels)


@every
def test_histograms_alone_have_buckets_in_order(instrument: Instrument) -> None:
    assert bool(instrument.buckets) is (instrument.kind is Kind.HISTOGRAM)
    assert list(instrument.buckets) == sorted(set(instrument.buckets))


@every
def test_somebody_tells_it_and_says_what_it_means(instrument: Instrument) -> None:
    assert instrument.processes
    assert instrument.help.endswith(".")


def test_no_name_is_used_twice() -> None:
    assert len({instrument.name for instrument in INSTRUMENTS}) == len(INSTRUMENTS)


def test_all_that_the_exporter_tells_is_read_but_for_its_version() -> None:
    counted = [instrument.name for instrument in instruments_of(Process.EXPORTER) if not instrument.read]
    assert counted == ["build_info"]


@dataclass(frozen=True)
class Row:
    """A line of the document's tables."""

    name: str
    kind: str
    unit: str
    labels: str
    meaning: str


def documented() -> list[Row]:
    lines = DOCUMENT.read_text().splitlines()
    return [
        Row(*(cell.strip().strip("`") for cell in line.strip("|").split("|")))
        for line in lines
        if line.startswith("| `paretofarm_")
    ]


def test_the_document_lists_exactly_what_there_is() -> None:
    defined = [
        Row(each.full_name, each.kind.value, each.unit, ", ".join(each.labels), each.help) for each in INSTRUMENTS
    ]
    assert sorted(documented(), key=lambda row: row.name) == sorted(defined, key=lambda row: row.name)
