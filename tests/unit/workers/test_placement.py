"""Which GPU a training goes to, decided without one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.gpu import UNNAMED, Gpu
from workers.placement import TRAININGS_PER_GPU, Load, Promise, default_slots, even_share, place

SIZE = 80.0


def gpu(index: int = 0, *, size: float | None = SIZE, used: float | None = 0.0) -> Gpu:
    return Gpu(str(index), f"GPU-{index}", used, size, None, None)


def chosen(loads: list[Load], wanted: Promise) -> str | None:
    load = place(loads, wanted)
    return None if load is None else load.gpu.index


def test_a_training_goes_where_the_most_room_is() -> None:
    assert chosen([Load(gpu(0), [30.0]), Load(gpu(1), [20.0]), Load(gpu(2), [40.0])], 10.0) == "1"
    assert chosen([Load(gpu(0), [20.0]), Load(gpu(1))], 10.0) == "1"


def test_a_training_waits_where_no_gpu_has_room() -> None:
    assert chosen([Load(gpu(0), [50.0, 25.0]), Load(gpu(1), [76.0])], 10.0) is None


def test_one_of_which_nothing_is_known_has_a_gpu_to_itself() -> None:
    assert chosen([Load(gpu(0), [1.0])], None) is None
    assert chosen([Load(gpu(0), [1.0]), Load(gpu(1))], None) == "1"
    assert chosen([Load(gpu(0), [None])], 1.0) is None


def test_one_larger_than_any_gpu_runs_alone() -> None:
    assert chosen([Load(gpu(0), [1.0])], 100.0) is None
    assert chosen([Load(gpu(0))], 100.0) == "0"
    assert chosen([Load(gpu(0), [100.0])], 1.0) is None


def test_what_others_hold_is_not_given_away() -> None:
    """60 of others, 5 of ours that were promised 10: 10 are left, not 15."""
    assert chosen([Load(gpu(used=65.0), [10.0], others=60.0)], 11.0) is None
    assert chosen([Load(gpu(used=65.0), [10.0], others=60.0)], 10.0) == "0"


def test_ours_that_hold_more_than_they_were_promised_count_with_what_they_hold() -> None:
    assert chosen([Load(gpu(used=70.0), [10.0])], 11.0) is None


def test_a_gpu_with_room_comes_before_an_empty_one_that_others_fill() -> None:
    loads = [Load(gpu(0, used=79.0), others=79.0), Load(gpu(1), [10.0])]
    assert chosen(loads, 20.0) == "1"
    assert chosen(loads, None) == "0", "nobody knows how long the others stay"


def test_a_gpu_that_does_not_tell_its_memory_takes_as_many_as_come() -> None:
    assert chosen([Load(UNNAMED, [None, 3.0])], None) == "0"
    assert chosen([Load(gpu(0, size=None), [1.0]), Load(gpu(1, size=None))], 1.0) == "1"


@given(
    promises=st.lists(st.lists(st.floats(0.1, 100), max_size=4), min_size=1, max_size=5),
    wanted=st.floats(0.1, 120),
)
def test_promises_never_exceed_the_memory_but_of_who_is_alone(promises: list[list[float]], wanted: float) -> None:
    loads = [Load(gpu(index), each) for index, each in enumerate(promises)]
    load = place(loads, wanted)
    if load is None:
        assert all(each and sum(each) + wanted > SIZE - 1e-9 for each in promises), "no room was overlooked"
    else:
        assert not load.promises or sum(each or 0.0 for each in load.promises) + wanted <= SIZE + 1e-9


@given(st.lists(st.one_of(st.none(), st.floats(0.1, 100)), min_size=1, max_size=30))
def test_however_many_come_all_are_placed_in_the_end(wanted: list[Promise]) -> None:
    """They end in the order in which they began; who waits, waits for the oldest."""
    running: list[tuple[int, Promise]] = []
    for want in wanted:
        while (load := place([Load(gpu(i), [p for at, p in running if at == i]) for i in range(2)], want)) is None:
            assert running, "somebody waits for nobody"
            running.pop(0)
        running.append((int(load.gpu.index), want))


@pytest.mark.parametrize(
    ("gpus", "processors", "expected"),
    [
        ([], 12, 12),
        ([gpu()], 16, TRAININGS_PER_GPU),
        ([gpu(0), gpu(1)], 128, 2 * TRAININGS_PER_GPU),
        ([gpu(0), gpu(1)], 6, 6),
        ([gpu(0), gpu(1)], 1, 2),
        ([UNNAMED], 16, 1),
    ],
)
def test_slots_by_gpus_and_processors(gpus: list[Gpu], processors: int, expected: int) -> None:
    assert default_slots(gpus, processors) == expected


def test_a_share_is_of_as_many_trainings_as_there_usually_are() -> None:
    assert even_share(gpu(), slots=1, gpus=1) == 80
    assert even_share(gpu(), slots=3, gpus=2) == 40
    assert even_share(gpu(), slots=64, gpus=1) == 80 // TRAININGS_PER_GPU
    assert even_share(UNNAMED, slots=2, gpus=1) is None
