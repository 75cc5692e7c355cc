"""The web page's port: the one that is named, else the usual one, else any."""

import socket
from contextlib import suppress

import pytest

from cli.page_place import LOOPBACK, USUAL, PagePlace, page_place
from paretofarm.errors import ConfigError


def test_the_port_that_is_named_is_taken() -> None:
    assert page_place({"PARETOFARM_DASHBOARD_PORT": "9001"}) == PagePlace(9001)


def test_another_one_is_found_where_the_usual_one_is_taken() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that has just ended keeps nobody out
        with suppress(OSError):  # somebody else has it, which is as good
            other.bind((LOOPBACK, USUAL))
            other.listen()
        place = page_place({})
    assert place is not None
    assert place.port not in (0, USUAL)
    assert place.url == f"http://127.0.0.1:{place.port}"


@pytest.mark.parametrize("named", ["0", "65536", "-1", "http", "80 80"])
def test_what_is_no_port_is_one_line(named: str) -> None:
    with pytest.raises(ConfigError, match=r"PARETOFARM_DASHBOARD_PORT = .* is no port"):
        page_place({"PARETOFARM_DASHBOARD_PORT": named})
