"""A database's address in the variables of PostgreSQL's programs."""

import pytest

from cli.libpq import libpq_environment
from paretofarm.errors import ConfigError


def test_everything_goes_by_the_environment() -> None:
    assert libpq_environment("postgresql+psycopg2://user:pa55%40word@host:5433/base") == {
        "PGHOST": "host",
        "PGPORT": "5433",
        "PGUSER": "user",
        "PGDATABASE": "base",
        "PGPASSWORD": "pa55@word",
    }


def test_a_socket_folder_is_a_host() -> None:
    variables = libpq_environment("postgresql+psycopg2://user@/base?host=/run/pg&port=5432")
    assert variables == {"PGHOST": "/run/pg", "PGPORT": "5432", "PGUSER": "user", "PGDATABASE": "base"}


def test_tls_is_asked_for_as_in_the_address() -> None:
    variables = libpq_environment("postgresql://user@host/base?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    assert (variables["PGSSLMODE"], variables["PGSSLROOTCERT"]) == ("verify-full", "/etc/ca.pem")


def test_what_the_programs_cannot_be_told_is_refused_rather_than_left_out() -> None:
    with pytest.raises(ConfigError, match="sslcrldir"):
        libpq_environment("postgresql://user@host/base?sslcrldir=/etc/crl")
