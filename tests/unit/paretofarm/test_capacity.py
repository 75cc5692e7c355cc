"""How many candidates keep a farm busy."""

import pytest

from paretofarm.capacity import LEAST, MOST, NOBODY, Capacity
from paretofarm.dispatching import LEAST_WINDOW, window

PHONE = "measure.phone"


@pytest.mark.parametrize(
    ("slots", "phones", "expected"),
    [(20, 2, 24), (0, 0, LEAST), (2, 2, LEAST), (8, 2, 12), (100, 0, 110), (10_000, 1_000, 12_100), (50_000, 0, MOST)],
)
def test_all_places_are_taken_and_some_more_wait(slots: int, phones: int, expected: int) -> None:
    assert Capacity(slots, {PHONE: phones}).in_flight(["phone"]) == expected


def test_phones_of_a_class_that_a_search_does_not_name_are_no_places_of_its() -> None:
    farm = Capacity(18, {PHONE: 2, "measure.other": 30, "measure.phone-2": 30})
    assert farm.in_flight(["phone"]) == 22
    assert farm.in_flight(["phone", "other"]) == 55
    assert farm.in_flight([]) == 20


def test_searches_that_run_at_once_share_it() -> None:
    assert Capacity(20, {PHONE: 2}, searches=2).in_flight(["phone"]) == 12
    assert Capacity(20, {PHONE: 2}, searches=5).in_flight(["phone"]) == LEAST
    assert Capacity(20, {PHONE: 2}, searches=0).in_flight(["phone"]) == 24


def test_messages_under_way_are_as_many_as_may_be_claimed_until_the_next_tick() -> None:
    assert window(NOBODY.places) == LEAST_WINDOW
    assert window(Capacity(10_000, {PHONE: 1_000}).places) == 11_000
