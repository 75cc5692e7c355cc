"""Who may do what: database roles that nobody logs in as, to be granted to the users that services connect with."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from db.session import CONNECT_ARGUMENTS, Database, parse_url, unavailable
from db.tables import Base
from paretofarm.errors import DatabaseRefused

PREFIX = "paretofarm_"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Role:
    """Beyond reading everything: tables to insert into, columns (or `*`) to update by table, tables to delete from."""

    inserts: tuple[str, ...] = ()
    updates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()


_LEASE = ("status", "attempt", "failures", "token", "owner", "lease_expires_at", "progress", "not_before")
_OUTCOME = ("dispatched_at", "code", "reason", "details", "started_at", "finished_at")
_REPORTER = {
    "evaluations": (*_LEASE, *_OUTCOME),
    "candidates": ("status", "started_at", "metrics", "intervals", "simulated", "rung"),
    "artifacts": ("deleted_at", "deleted_reason"),
    "candidate_artifacts": ("sha256", "device"),
    "workers": ("*",),
}
_ENDING = ("status", "reason", "finished_at")
_REPORTS = ("artifacts", "candidate_artifacts", "events", "workers")

ROLES: Mapping[str, Role] = {
    "reader": Role(),
    "agent": Role(
        (*_REPORTS, "measurements", "phones", "device_baselines", "reference_checks", "phone_work"),
        {**_REPORTER, "phones": ("*",)},
    ),
    "worker": Role((*_REPORTS, "training_metrics"), {**_REPORTER, "training_metrics": ("*",)}),
    "scheduler": Role(
        ("experiments", "candidates", "evaluations", "events", "workers"),
        {
            "experiments": ("status", "reason", "finished_at"),
            "candidates": (*_ENDING, "exported_at", "contested_at"),
            "evaluations": (*_LEASE, *_OUTCOME),
            "workers": ("*",),
        },
    ),
    "dashboard": Role(
        ("experiments", "events", "api_tokens", "login_sessions"),
        {
            "experiments": ("status", "reason", "finished_at", "config"),
            "candidates": (*_ENDING, "metrics", "intervals", "simulated", "exported_at", "pinned_at"),
            "evaluations": (*_LEASE, *_OUTCOME),
            "phones": ("state", "state_reason", "state_since", "quarantined_at"),
            "artifacts": ("deleted_at", "deleted_reason"),
            "api_tokens": ("revoked_at", "last_used_at"),
        },
        # What belongs to a search goes with it, by the foreign keys. candidate_artifacts: to lock it meanwhile.
        (
            *("experiments", "artifacts", "candidate_artifacts", "measurements", "earlier_measurements"),
            "login_sessions",
        ),
    ),
}


def grant(url: str) -> None:
    """Creates the roles that are missing and sets what each may do; the connecting user needs CREATEROLE."""
    parsed = parse_url(url)
    with (
        unavailable(parsed),
        create_engine(parsed, connect_args=CONNECT_ARGUMENTS, poolclass=NullPool).begin() as connection,
    ):
        _grant(connection)


def check_rights(database: Database, name: str) -> None:
    """Errors: DatabaseRefused where the user that we connect as may not do what the role may; it says which to grant.

    Said at the start: the first refused write of a service may come hours later.
    """
    with database.transaction() as session:
        user = session.scalar(text("SELECT current_user"))
        missing = [missing for right in _rights(ROLES[name]) for missing in right.missing(session)]
    if missing:
        raise DatabaseRefused(
            f"the database user {user!r} may not {', '.join(missing)}: connect as another one, GRANT {PREFIX}{name} TO "
            f"{user}, or, where that was done, run `paretofarm db upgrade` as the database's owner"
        )


@dataclass(frozen=True)
class _Right:
    """columns: of an UPDATE; `*` is the whole row."""

    verb: str
    table: str
    columns: tuple[str, ...] = ("*",)

    def missing(self, session: Session) -> list[str]:
        """In words: the table where nothing of it may be done, else the columns."""
        refused = [column for column in self.columns if not self._is_held(session, column)]
        if refused == list(self.columns):
            return [f"{self.verb} {self.table}"]
        return [f"{self.verb} {self.table}.{column}" for column in refused]

    def _is_held(self, session: Session, column: str) -> bool:
        if column == "*":
            may = "SELECT has_table_privilege(CAST(:table AS text), CAST(:verb AS text))"
            return bool(session.scalar(text(may), {"table": self.table, "verb": self.verb}))
        may = "SELECT has_column_privilege(CAST(:table AS text), CAST(:column AS text), CAST(:verb AS text))"
        return bool(session.scalar(text(may), {"table": self.table, "column": column, "verb": self.verb}))


def _rights(role: Role) -> Iterator[_Right]:
    yield from (_Right("INSERT", table) for table in role.inserts)
    yield from (_Right("UPDATE", table, columns) for table, columns in role.updates.items())
    yield from (_Right("DELETE", table) for table in role.deletes)


def grant_if_allowed(connection: Connection) -> None:
    """The same as part of a migration: a user who may not create roles does without, and is told so."""
    if connection.execute(text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")).scalar():
        _grant(connection)
    else:
        log.warning("the database user may not create roles: the roles %s* are left as they are", PREFIX)


def _grant(connection: Connection) -> None:
    for name in ("owner", *ROLES):
        _create(connection, PREFIX + name)
    _run(connection, f"GRANT ALL ON SCHEMA public TO {PREFIX}owner")
    _run(connection, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {PREFIX}owner")
    for name, role in ROLES.items():
        for statement in _statements(PREFIX + name, role):
            _run(connection, statement)


def _create(connection: Connection, role: str) -> None:
    """Roles belong to the whole server: another database's migration may be creating the same one right now."""
    _run(
        connection,
        f"""DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$""",
    )


def _statements(role: str, may: Role) -> list[str]:
    """GRANTs for one role, after everything it may have had before."""
    inserts = [f"GRANT INSERT ON {table} TO {role}" for table in may.inserts]
    updates = [f"GRANT UPDATE{_columns(columns)} ON {table} TO {role}" for table, columns in may.updates.items()]
    deletes = [f"GRANT DELETE ON {table} TO {role}" for table in may.deletes]
    tables = ", ".join(sorted(Base.metadata.tables))
    return [
        f"REVOKE ALL ON {tables} FROM {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        *inserts,
        *updates,
        *deletes,
    ]


def _columns(columns: tuple[str, ...]) -> str:
    return "" if columns == ("*",) else f" ({', '.join(columns)})"


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
