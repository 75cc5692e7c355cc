"""Candidates: numbered without gaps, never an architecture twice, advanced by what the database knows."""

from concurrent.futures import ThreadPoolExecutor

from factories import claim_first, make_architecture, make_proposal, store_candidates, store_experiment
from sqlalchemy import event, select

from db import candidates, leases
from db.candidates import Architectures
from db.report import Report
from db.session import Database
from db.tables import CandidateRow, EvaluationRow
from paretofarm.errors import BuildFailed
from paretofarm.history import Member
from paretofarm.lifecycle import CandidateStatus, EvaluationStatus, Stage, Step, Verdict


def test_candidates_are_numbered_on_and_have_a_queued_build(database: Database) -> None:
    with database.transaction() as session:
        search, other = store_experiment(session).id, store_experiment(session).id
        store_candidates(session, search, 2)
        store_candidates(session, other, 1)
        store_candidates(session, search, 1)
        states = candidates.in_flight(session, search)
    assert [state.number for state in states] == [0, 1, 2]
    assert {state.status for state in states} == {CandidateStatus.PROPOSED}
    for state in states:
        [build] = state.evaluations
        assert (build.step, build.status) == (Step(Stage.BUILD), EvaluationStatus.QUEUED)


def test_architecture_is_never_proposed_twice(database: Database) -> None:
    architecture = make_architecture()
    with database.transaction() as session:
        search = store_experiment(session).id
        twice = [make_proposal(architecture), make_proposal(), make_proposal(architecture)]
        assert len(candidates.propose(session, search, twice)) == 2
        assert candidates.propose(session, search, [make_proposal(architecture)]) == []
        [third] = candidates.propose(session, search, [make_proposal(architecture), make_proposal()])
        assert session.get_one(CandidateRow, third).number == 2
        assert len(candidates.propose(session, store_experiment(session).id, twice)) == 2


def test_two_proposers_at_once_neither_collide_nor_leave_gaps(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session).id
    architectures = [make_architecture() for _ in range(40)]

    def propose(shift: int) -> None:
        for start in range(0, 40, 5):
            batch = [make_proposal(architectures[(start + shift + step) % 40]) for step in range(10)]
            with database.transaction() as session:
                candidates.propose(session, search, batch)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(propose, (0, 3, 20, 33)))
    with database.transaction() as session:
        rows = (
            session.execute(select(CandidateRow.number, CandidateRow.digest).order_by(CandidateRow.number))
            .tuples()
            .all()
        )
        assert [number for number, _ in rows] == list(range(40))
        assert {digest for _, digest in rows} == {architecture.digest for architecture in architectures}
        assert len(session.scalars(select(EvaluationRow.id)).all()) == 40


def test_steps_are_queued_once_whatever_their_state(database: Database) -> None:
    step = Step(Stage.TRAIN, rung=0)
    with database.transaction() as session:
        search = store_experiment(session).id
        [candidate_id] = store_candidates(session, search)
        for _ in range(2):
            candidates.queue(session, candidate_id, [step, Step(Stage.BUILD)])
        [state] = candidates.in_flight(session, search)
        assert [evaluation.step for evaluation in state.evaluations] == [Step(Stage.BUILD), step]


def test_finished_candidate_gets_no_more_steps(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session).id
        [candidate_id] = store_candidates(session, search)
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.FAILED, "why not"))
        candidates.queue(session, candidate_id, [Step(Stage.TRAIN, rung=0)])
        assert candidates.in_flight(session, search) == []
        assert session.scalars(select(EvaluationRow.status)).all() == [EvaluationStatus.CANCELLED]
        assert candidates.counts(session, search)[CandidateStatus.FAILED] == 1


def test_failed_evaluation_tells_why(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session).id
        store_candidates(session, search)
        claim = claim_first(session, session.scalars(select(EvaluationRow.id)).one())
        leases.fail(session, claim, BuildFailed("no such op"))
        [state] = candidates.in_flight(session, search)
        [build] = state.evaluations
        assert (build.status, build.failure) == (EvaluationStatus.FAILED, "BuildFailed: no such op")


def test_many_members_come_as_they_were_stored(database: Database) -> None:
    """More than are read at a time."""
    with database.transaction() as session:
        search = store_experiment(session).id
        store_candidates(session, search, 450)
        stored = session.scalars(select(CandidateRow).order_by(CandidateRow.number)).all()
        for row in stored[::2]:
            row.status, row.rung = CandidateStatus.COMPLETE, row.number % 3
            row.metrics = {"miou": row.number / 7, 'latency_ms@a "phone", é': 1e-300}
            row.intervals = {"miou": [0.0, row.number / 7]}
        session.flush()
        expected = [
            Member(row.number, row.digest, row.status, row.metrics, row.rung, intervals=row.intervals) for row in stored
        ]
        assert candidates.members(session, search) == expected


def test_members_leave_out_those_that_are_known(database: Database) -> None:
    with database.transaction() as session:
        search = store_experiment(session).id
        first, *_ = store_candidates(session, search, 6)
        claim = claim_first(session, session.scalars(select(EvaluationRow.id).order_by(EvaluationRow.id)).first() or 0)
        leases.report(session, claim, Report(metrics={"parameters": 7}))
        candidates.finish(session, first, Verdict(CandidateStatus.COMPLETE))
        everybody = candidates.members(session, search)
        assert [member.number for member in everybody] == list(range(6))
        assert (everybody[0].status, everybody[0].metrics) == (CandidateStatus.COMPLETE, {"parameters": 7})
        assert [member.number for member in candidates.members(session, search, known={0, 1, 4})] == [2, 3, 5]
        assert [member.number for member in candidates.members(session, search, known={0, 1, 2})] == [3, 4, 5]
        assert candidates.members(session, search, known=range(6)) == []


def test_architectures_are_read_when_asked_for(database: Database) -> None:
    wanted = make_architecture(op="conv3x3", width=1.5)
    with database.transaction() as session:
        search = store_experiment(session).id
        candidates.propose(session, search, [make_proposal(), make_proposal(wanted)])
        architectures = Architectures(session, search)
        assert architectures[1] == wanted
        assert 2 not in architectures
        assert list(architectures) == [0, 1]


def test_what_is_unfinished_is_of_one_moment(database: Database) -> None:
    """A report that is committed while it is being read is seen whole or not at all."""
    with database.transaction() as session:
        search = store_experiment(session)
        store_candidates(session, search.id)
        evaluation_id = session.scalars(select(EvaluationRow.id)).one()
    with database.transaction() as session:
        claim = claim_first(session, evaluation_id)
    reader = Database(database.url.render_as_string(hide_password=False))
    reports = [Report(metrics={"parameters": 10.0})]

    def report_after_the_first_statement(*_: object) -> None:
        while reports:
            with database.transaction() as session:
                leases.report(session, claim, reports.pop())

    with reader.transaction() as session:
        session.connection()
        event.listen(reader.engine, "after_cursor_execute", report_after_the_first_statement)
        (state,) = candidates.in_flight(session, search.id)
    reader.dispose()
    assert not reports
    is_done = state.evaluations[0].status is EvaluationStatus.DONE
    assert is_done == ("parameters" in state.metrics)
