"""A database's address as PostgreSQL's own programs take it."""

from collections.abc import Mapping

from sqlalchemy import make_url

from paretofarm.errors import ConfigError

QUERY: Mapping[str, str] = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def libpq_environment(url: str) -> dict[str, str]:
    """Variables for psql, pg_dump and pg_restore: nothing of an address shows in a list of processes.

    ConfigError for a parameter that has no variable: left out, a connection might be less safe than was asked for.
    """
    parsed = make_url(url)
    query = {name: value for name, value in parsed.query.items() if name not in ("host", "port")}
    unknown = sorted(set(query) - set(QUERY))
    if unknown:
        raise ConfigError(f"the database url has {unknown[0]}, which PostgreSQL's programs cannot be told")
    place = {
        "PGHOST": parsed.host or parsed.query.get("host"),
        "PGPORT": parsed.port or parsed.query.get("port"),
        "PGUSER": parsed.username,
        "PGDATABASE": parsed.database,
        "PGPASSWORD": parsed.password,
    }
    variables = {**place, **{QUERY[name]: value for name, value in query.items()}}
    return {name: _text(value) for name, value in variables.items() if value}


def _text(value: object) -> str:
    """Several hosts are separated by commas."""
    return ",".join(value) if isinstance(value, tuple) else str(value)
