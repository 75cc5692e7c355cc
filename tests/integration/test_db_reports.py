"""The read side: fronts agree between SQL and Python, details and progress say what happened."""

import numpy as np
import pytest
from factories import (
    claim_first,
    make_architecture,
    make_measurement,
    make_proposal,
    store_candidates,
    store_experiment,
    store_phone,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from db import candidates, leases, reports
from db.artifact import StoredArtifact
from db.experiments import StoredExperiment
from db.report import EpochMetrics, Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow
from paretofarm.algorithms.port import Origin
from paretofarm.errors import BuildFailed, ConfigError, NotFound, PhoneOffline
from paretofarm.history import History
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict
from paretofarm.pareto import front

MIOU = {"name": "miou", "goal": "maximize"}
PARAMETERS = {"name": "parameters", "goal": "minimize"}
VIRTUAL = {"name": "latency_ms", "goal": "minimize", "device": "virtual"}
OTHER = {"name": "latency_ms", "goal": "minimize", "device": "other"}
KEYS = ["miou", "parameters", "latency_ms@virtual", "latency_ms@other"]


def store_measured(
    session: Session, search: StoredExperiment, rows: list[tuple[CandidateStatus, dict[str, float]]]
) -> None:
    """Candidates that have come to an end, as if by evaluations."""
    values = []
    for number, (status, metrics) in enumerate(rows):
        architecture = make_architecture()
        values.append(
            {
                "experiment_id": search.id,
                "number": number,
                "digest": architecture.digest,
                "architecture": architecture.to_dict(),
                "origin": "random",
                "parents": [],
                "status": status,
                "metrics": metrics,
            }
        )
    if values:
        session.execute(insert(CandidateRow), values)


def view_front(session: Session, search: StoredExperiment, device: str | None) -> list[int]:
    query = text(
        "SELECT number FROM pareto_front WHERE search = :name AND device IS NOT DISTINCT FROM :device ORDER BY number"
    )
    return list(session.scalars(query, {"name": search.name, "device": device}))


def python_front(session: Session, search: StoredExperiment, device: str | None) -> list[int]:
    experiment = search.experiment
    objectives = reports.objectives_on(experiment, device)
    history = History(candidates.members(session, search.id), objectives, experiment.constraints, {})
    return [history.feasible[index].number for index in front(history.points)] if history.feasible else []


VALUES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000000000000001, 1.0, 1e-9, 3.0])
CANDIDATES = st.tuples(
    st.sampled_from([CandidateStatus.COMPLETE] * 6 + [CandidateStatus.RUNNING, CandidateStatus.FAILED]),
    st.fixed_dictionaries({}, optional={key: VALUES for key in KEYS})
    | st.fixed_dictionaries({key: VALUES for key in KEYS}),
)


@pytest.mark.parametrize(
    ("objectives", "constraints"),
    [
        ([MIOU], []),
        ([MIOU, VIRTUAL], []),
        ([PARAMETERS, MIOU], [{"name": "latency_ms", "device": "virtual", "at_most": 0.5}]),
        ([MIOU, VIRTUAL, PARAMETERS], [{"name": "miou", "at_least": 0.1, "at_most": 0.9}]),
        ([VIRTUAL, MIOU, OTHER], [{"name": "latency_ms", "device": "other", "at_most": 1}]),
        ([VIRTUAL, OTHER], []),
    ],
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CANDIDATES, max_size=25))
def test_view_report_and_core_agree_on_the_front(
    database: Database,
    objectives: list[dict[str, str]],
    constraints: list[dict[str, object]],
    rows: list[tuple[CandidateStatus, dict[str, float]]],
) -> None:
    devices = {objective["device"] for objective in objectives if "device" in objective}
    with database.transaction() as session:
        search = store_experiment(session, objectives=objectives, constraints=constraints)
        store_measured(session, search, rows)
        for device in devices or {None}:
            expected = python_front(session, search, device)
            assert view_front(session, search, device) == expected
            reported = reports.front(session, search, device).members
            assert sorted(member.number for member in reported) == expected


def test_front_of_many_is_the_same_too(database: Database) -> None:
    rng = np.random.default_rng(5)
    metrics = [dict(zip(KEYS, (rng.integers(1, 400, 4) / 400).tolist(), strict=True)) for _ in range(2000)]
    for objectives in ([MIOU, VIRTUAL], [MIOU, VIRTUAL, PARAMETERS]):
        with database.transaction() as session:
            search = store_experiment(session, objectives=objectives, constraints=[])
            store_measured(session, search, [(CandidateStatus.COMPLETE, row) for row in metrics])
            expected = python_front(session, search, "virtual")
            assert len(expected) > 5
            assert view_front(session, search, "virtual") == expected


def test_front_speaks_of_one_device_class(database: Database) -> None:
    rows = [
        {"miou": 0.5, "latency_ms@virtual": 1.0, "latency_ms@other": 9.0},
        {"miou": 0.6, "latency_ms@virtual": 2.0, "latency_ms@other": 1.0},
    ]
    limit = {"name": "network_bytes", "device": "third", "at_most": 5}
    with database.transaction() as session:
        search = store_experiment(session, objectives=[MIOU, VIRTUAL, OTHER], constraints=[])
        store_measured(session, search, [(CandidateStatus.COMPLETE, row) for row in rows])
        found = reports.front(session, search)
        assert (found.device, [objective.key for objective in found.objectives]) == (
            "virtual",
            ["miou", "latency_ms@virtual"],
        )
        assert [member.metrics["latency_ms"] for member in found.members] == [1.0, 2.0]
        [member] = reports.front(session, search, "other").members
        assert member.metrics == {"latency_ms": 1.0, "miou": 0.6}
        limited = store_experiment(session, objectives=[MIOU, VIRTUAL], constraints=[limit])
        with pytest.raises(ConfigError, match=r"no objective of the search .* is about 'third', only of virtual"):
            reports.front(session, limited, "third")
        with pytest.raises(ConfigError, match="no device class 'nokia'; it has virtual, third"):
            reports.front(session, limited, "nokia")


def run_through(session: Session, search: StoredExperiment) -> int:
    """A candidate that is built, measured at the second attempt, trained and complete; its id."""
    parent, candidate_id = (
        candidates.propose(session, search.id, [proposal])[0]
        for proposal in (
            make_proposal(make_architecture(op="conv3x3", width=8)),
            make_proposal(make_architecture(op="conv5x5", width=8, depth=2), origin=Origin.MUTATION, parents=(0,)),
        )
    )
    candidates.finish(session, parent, Verdict(CandidateStatus.INFEASIBLE, "too slow"))
    phone_id = store_phone(session, serial="PHONE")
    steps = [Step(Stage.MEASURE, device="virtual"), Step(Stage.TRAIN, rung=0)]
    candidates.queue(session, candidate_id, steps)
    build, measure, train = session.scalars(
        select(EvaluationRow.id).where(EvaluationRow.candidate_id == candidate_id).order_by(EvaluationRow.id)
    )
    onnx = StoredArtifact("b" * 64, "onnx_fp32", 1234, "file:///b")
    leases.report(session, claim_first(session, build), Report(metrics={"parameters": 99}, artifacts=[onnx]))
    leases.fail(session, claim_first(session, measure, owner="agent-1"), PhoneOffline("unplugged"))
    again = leases.claim(session, measure, 2, owner="agent-2", lease_s=60)
    assert again is not None
    measurement = make_measurement(phone_id, latency_ms=3.0)
    measured = Report({"latency_ms": 3.0}, {"latency_ms": (2.9, 3.1)}, measurement=measurement, simulated=True)
    leases.report(session, again, measured)
    epochs = [EpochMetrics(1, 2.5, 10.0), EpochMetrics(2, 1.5, 11.0, {"miou": 0.4})]
    leases.report(
        session, claim_first(session, train), Report({"miou": 0.4}, epochs=epochs, details={"per_class": {"hair": 0.1}})
    )
    candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
    return candidate_id


def test_candidate_tells_its_whole_story(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        detail = reports.candidate(session, run_through(session, search))
    assert (detail.search, detail.number, detail.status) == (search.name, 1, CandidateStatus.COMPLETE)
    assert (detail.origin, detail.simulated) == ("mutation", True)
    [parent] = detail.parents
    assert (parent.number, dict(parent.changes)) == (0, {"op": ("conv3x3", "conv5x5"), "depth": (None, 2)})
    build, measure, train = detail.evaluations
    assert [event.details.get("owner") for event in measure.history] == [
        None,
        "agent-1",
        "agent-1",
        "agent-2",
        "agent-2",
    ]
    assert (measure.attempt, measure.failures, measure.owner) == (2, 1, "agent-2")
    assert measure.measurement is not None and measure.measurement.phone == "PHONE"
    assert len(measure.measurement.samples) == 3
    assert [(epoch.epoch, epoch.train_loss, epoch.metrics) for epoch in train.epochs] == [
        (1, 2.5, {}),
        (2, 1.5, {"miou": 0.4}),
    ]
    assert train.details == {"per_class": {"hair": 0.1}}
    assert build.measurement is None
    assert [(artifact.kind, artifact.sha256) for artifact in detail.artifacts] == [("onnx_fp32", "b" * 64)]


def test_unknown_candidate_is_named(database: Database) -> None:
    with pytest.raises(NotFound, match="no candidate 12345"), database.transaction() as session:
        reports.candidate(session, 12345)


def test_what_a_simulated_phone_measured_is_labelled(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        run_through(session, search)
        parent, child = reports.candidates(session, search)
        assert (parent.simulated, child.simulated, child.noisy) == (False, True, False)
        assert child.intervals == {"latency_ms": (2.9, 3.1)}
        [member] = reports.front(session, search).members
        assert member.simulated
        views = ("candidate_metrics", "pareto_front")
        for view in views:
            query = text(
                f"SELECT simulated FROM {view} WHERE search = :name AND latency_ms = 3 AND latency_low_ms = 2.9"
            )
            assert session.scalars(query, {"name": search.name}).all() == [True]


def test_wide_view_has_a_row_for_every_candidate(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session)
        run_through(session, search)
        rows = session.execute(text("SELECT * FROM candidate_metrics ORDER BY number")).mappings().all()
        assert [(row["status"], row["reason"], row["parameters"]) for row in rows] == [
            ("infeasible", "too slow", None),
            ("complete", None, 99),
        ]
        assert (rows[1]["search"], rows[1]["device"], rows[1]["miou"], rows[1]["parents"]) == (
            search.name,
            "virtual",
            0.4,
            [0],
        )


def test_progress_counts_what_is_done_and_what_waits(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session, stop={"candidates": 5})
        empty = reports.progress(session, search)
        assert (empty.per_minute, empty.eta_s, dict(empty.stages), dict(empty.failures)) == (None, None, {}, {})
        run_through(session, search)
        failing, leased, _ = store_candidates(session, search.id, 3)
        builds = dict(session.execute(select(EvaluationRow.candidate_id, EvaluationRow.id)).tuples().all())
        leases.fail(session, claim_first(session, builds[failing]), BuildFailed("no"))
        candidates.finish(session, failing, Verdict(CandidateStatus.FAILED, "build: no"))
        claim_first(session, builds[leased])
    with database.transaction() as session:
        progress = reports.progress(session, search)
        assert progress.counts[CandidateStatus.COMPLETE] == 1
        assert {stage: (load.leased, load.queued) for stage, load in progress.stages.items()} == {Stage.BUILD: (1, 1)}
        assert progress.failures == {"BuildFailed": 1}
        assert progress.per_minute is not None and progress.eta_s is not None
        assert progress.eta_s == pytest.approx(4 / progress.per_minute * 60)
        assert progress.elapsed_s > 0
