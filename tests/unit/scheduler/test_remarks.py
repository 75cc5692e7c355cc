"""What an algorithm has to say becomes an event when it begins to say so and when it stops."""

from datetime import UTC, datetime

from factories import make_experiment, make_proposal

from db.experiments import ExperimentStatus, StoredExperiment
from scheduler.search import ON_AGAIN, Search
from scheduler.simulation.store import MemoryStore

DOUBT = "the model of miou predicts no better than chance"


def remarks_of(*said: str | None, store: MemoryStore | None = None) -> list[str]:
    """All events of the store after a new scheduler's proposals with these remarks, one each."""
    stored = StoredExperiment(
        id=1,
        name="remarks",
        experiment=make_experiment(),
        status=ExperimentStatus.RUNNING,
        reason=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        finished_at=None,
    )
    search, store = Search(stored), store or MemoryStore()
    for remark in said:
        search._store(store, [make_proposal().with_remark(remark) if remark else make_proposal()])
    return store.remarks


def test_nothing_said_is_no_event() -> None:
    assert remarks_of(None, None) == []


def test_the_same_doubt_is_told_once_whatever_its_figures() -> None:
    assert remarks_of(f"{DOUBT} (rank correlation 0.02)", f"{DOUBT} (rank correlation -0.05)") == [
        f"{DOUBT} (rank correlation 0.02)"
    ]


def test_its_end_is_told_too() -> None:
    assert remarks_of(f"{DOUBT} (rank correlation 0.02)", None, None) == [f"{DOUBT} (rank correlation 0.02)", ON_AGAIN]


def test_a_new_scheduler_repeats_nothing() -> None:
    store = MemoryStore()
    doubt = f"{DOUBT} (rank correlation 0.02)"
    assert remarks_of(doubt, store=store) == [doubt]
    assert remarks_of(f"{DOUBT} (rank correlation 0.03)", store=store) == [doubt]
    assert remarks_of(None, store=store) == [doubt, ON_AGAIN]
    assert remarks_of(None, store=store) == [doubt, ON_AGAIN]
    assert remarks_of(doubt, store=store) == [doubt, ON_AGAIN, doubt]
