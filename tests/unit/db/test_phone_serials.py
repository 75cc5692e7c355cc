"""Phones that give the same serial number are kept apart, and no phone is used twice."""

import pytest

from db.phone_serials import KnownPhone, choose
from paretofarm.errors import Unavailable

FIRST, SECOND = "1" * 32, "2" * 32


def known(serial: str = "0123456789ABCDEF", mark: str | None = FIRST, *, busy: bool = True) -> KnownPhone:
    return KnownPhone(serial, mark, "usb:1-1", "agent-1", busy)


def chosen(*phones: KnownPhone, mark: str = SECOND, address: str = "usb:1-2") -> str:
    return choose(phones, "0123456789ABCDEF", mark, address)


def test_first_phone_has_its_number() -> None:
    assert chosen() == "0123456789ABCDEF"


def test_second_phone_has_its_mark_behind_it() -> None:
    assert chosen(known()) == "0123456789ABCDEF~22222222"


def test_phone_is_known_again_whatever_else_is_in_use() -> None:
    both = (known(), known("0123456789ABCDEF~22222222", SECOND, busy=False))
    assert chosen(*both) == "0123456789ABCDEF~22222222"
    assert chosen(*both, mark=FIRST, address="usb:1-1") == "0123456789ABCDEF"


def test_phone_that_lost_its_mark_keeps_its_number() -> None:
    assert chosen(known(busy=False)) == "0123456789ABCDEF"
    assert chosen(known(mark=None)) == "0123456789ABCDEF"


def test_one_phone_reached_in_two_ways_is_used_once() -> None:
    with pytest.raises(Unavailable, match="0123456789ABCDEF is in use by agent-1 at usb:1-1"):
        chosen(known(), mark=FIRST, address="192.0.2.7:5555")
    assert chosen(known(busy=False), mark=FIRST, address="192.0.2.7:5555") == "0123456789ABCDEF"
