"""The users that services log in as: one per role of `db.roles`, named like it, with a password and nothing else."""

from collections.abc import Mapping

import psycopg2
from psycopg2.extensions import connection as PostgresConnection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Identifier, Literal
from sqlalchemy import URL, create_engine
from sqlalchemy.pool import NullPool

from db.migrate import ADVISORY_LOCK
from db.roles import PREFIX, ROLES
from db.session import CONNECT_ARGUMENTS, parse_url, unavailable
from paretofarm.errors import ConfigError, DatabaseUnavailable

LOGINS = tuple(ROLES)


def keep_logins(url: str, passwords: Mapping[str, str]) -> None:
    """Makes the users that are missing and sets their passwords; doing it again changes passwords only.

    url: of a user who may create roles, in a migrated database. passwords: by name, of `LOGINS`. The server and its
    logs see SCRAM verifiers, never a password. Errors: DatabaseUnavailable, also where the user may not do it.
    """
    parsed = parse_url(url)
    with (
        unavailable(parsed),
        create_engine(parsed, connect_args=CONNECT_ARGUMENTS, poolclass=NullPool).begin() as transaction,
    ):
        connection = transaction.connection.driver_connection
        assert isinstance(connection, PostgresConnection)
        try:
            _keep(connection, passwords)
        except psycopg2.ProgrammingError as error:
            raise _refused(parsed, error) from error


def _keep(connection: PostgresConnection, passwords: Mapping[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
        for name, password in passwords.items():
            verifier = encrypt_password(password, name, connection, "scram-sha-256")
            verb = SQL("ALTER" if _is_there(cursor, name) else "CREATE")
            login = SQL("{} ROLE {} LOGIN INHERIT PASSWORD {}")
            cursor.execute(login.format(verb, Identifier(name), Literal(verifier)))
            cursor.execute(SQL("GRANT {} TO {}").format(Identifier(PREFIX + name), Identifier(name)))


def _is_there(cursor: Cursor, name: str) -> bool:
    """Users belong to the whole server. ConfigError where somebody else's has that name: its password is not ours."""
    cursor.execute("SELECT pg_has_role(rolname, %s, 'member') FROM pg_roles WHERE rolname = %s", (PREFIX + name, name))
    found = cursor.fetchone()
    if found and not found[0]:
        raise ConfigError(
            f"the server has a user {name} that is not paretofarm's: GRANT {PREFIX}{name} TO {name}, if it is to be"
        )
    return found is not None


def _refused(url: URL, error: psycopg2.Error) -> DatabaseUnavailable:
    reason, *_ = str(error).strip().splitlines() or [repr(error)]
    return DatabaseUnavailable(f"{url.username or 'this user'} cannot keep logins: {reason}")
