"""What happens for each candidate, or while a scheduler starts, finds its rows by an index, without statistics too."""

from typing import Any

from factories import store_experiment
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from db.session import Database
from scheduler.store import DatabaseStore

MANY = 3000


def plan(session: Session, statement: str) -> str:
    return "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {statement}").scalars())


def test_the_points_of_a_candidate_that_ends_are_found_by_its_number(database: Database) -> None:
    failed = text(
        "INSERT INTO candidates (experiment_id, number, digest, architecture, origin, parents, status) "
        "SELECT :search, n, lpad(n::text, 64, '0'), '{}', 'random', '{}', 'failed' FROM generate_series(1, :many) AS n"
    )
    with database.transaction() as session:
        search = store_experiment(session).id
        session.execute(failed, {"search": search, "many": MANY})
        assert session.scalar(text("SELECT count(*) FROM points")) == MANY
        as_keep_points_does = f"DELETE FROM points WHERE experiment_id = {search} AND number = 77"
        assert "points_number_idx" in plan(session, as_keep_points_does)


def test_the_last_remark_is_found_without_looking_through_all_events(database: Database) -> None:
    sent: list[str] = []

    def note(connection: Any, cursor: Any, *_: object) -> None:
        sent.append(cursor.query.decode())

    happened = text(
        "INSERT INTO events (kind, experiment_id) SELECT 'evaluation_done', :search FROM generate_series(1, :many)"
    )
    with database.transaction() as session:
        search = store_experiment(session).id
        store = DatabaseStore(session, search)
        store.remark("no better than chance (0.1)")
        session.execute(happened, {"search": search, "many": MANY})
        event.listen(session.connection(), "after_cursor_execute", note)
        assert store.last_remark() == "no better than chance (0.1)"
        assert "events_remarks_idx" in plan(session, sent[0])
