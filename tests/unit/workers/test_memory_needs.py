"""What a training asks for, from what those before it needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.memory_needs import CONTEXT_BYTES, MARGIN, REMEMBERED, STRANGE_MARGIN, MemoryNeeds, PeakMemory

MIB = 2**20
SEARCH = 7


def needs(*measured: tuple[float, int]) -> MemoryNeeds:
    found = MemoryNeeds()
    for estimate, reserved in measured:
        found.learn(SEARCH, estimate, PeakMemory(reserved))
    return found


def test_nothing_is_asked_for_while_nothing_was_measured() -> None:
    assert MemoryNeeds().ask(SEARCH, 1e9) is None
    assert not MemoryNeeds().knows(SEARCH)


def test_networks_of_like_size_are_wrong_by_a_like_factor() -> None:
    """Small ones hold fixed amounts, which must not be multiplied for large ones."""
    found = needs((10 * MIB, 100 * MIB), (1000 * MIB, 1500 * MIB), (1200 * MIB, 2400 * MIB))
    assert found.ask(SEARCH, 900 * MIB) == pytest.approx(CONTEXT_BYTES + MARGIN * 2 * 900 * MIB)
    assert found.ask(SEARCH, 12 * MIB) == pytest.approx(CONTEXT_BYTES + MARGIN * 10 * 12 * MIB)


def test_what_is_unlike_all_others_is_taken_for_the_worst_of_them() -> None:
    found = needs((10 * MIB, 100 * MIB), (1000 * MIB, 1500 * MIB))
    assert found.ask(SEARCH, 5000 * MIB) == pytest.approx(CONTEXT_BYTES + MARGIN * 10 * 5000 * MIB)


def test_resident_images_are_there_once_whatever_the_network() -> None:
    found = MemoryNeeds()
    found.learn(SEARCH, 100 * MIB, PeakMemory(1200 * MIB, resident_bytes=1000 * MIB))
    assert found.ask(SEARCH, 150 * MIB) == pytest.approx(CONTEXT_BYTES + MARGIN * (1000 + 2 * 150) * MIB)


def test_another_search_is_a_first_guess_with_more_to_spare() -> None:
    found = needs((100 * MIB, 200 * MIB))
    assert found.ask("another", 100 * MIB) == pytest.approx(CONTEXT_BYTES + STRANGE_MARGIN * 200 * MIB)
    assert found.knows(SEARCH) and not found.knows("another")


def test_the_latest_count() -> None:
    found = needs((1e6, 50_000_000), *((1e6 + number, 1_000_000) for number in range(1, REMEMBERED + 1)))
    assert found.ask(SEARCH, 1e6) == pytest.approx(CONTEXT_BYTES + MARGIN * 1e6, rel=1e-3)


@given(st.lists(st.tuples(st.floats(1e6, 1e11), st.integers(10**6, 10**11)), min_size=1, max_size=20))
def test_the_same_training_again_asks_for_no_less_than_it_needed(measured: list[tuple[float, int]]) -> None:
    found = needs(*measured)
    for estimate, reserved in measured:
        asked = found.ask(SEARCH, estimate)
        assert asked is not None
        assert asked >= PeakMemory(reserved).needed * (1 - 1e-9)
