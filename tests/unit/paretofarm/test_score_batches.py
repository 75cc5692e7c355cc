"""How many images go through a phone at once."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from paretofarm.score_batches import BATCH_S, FIRST_IMAGES, MOST_BYTES, MOST_IMAGES, SPARE_BYTES, images_per_batch

GIB = 2**30
small = partial(images_per_batch, inputs=3 * 64 * 64, outputs=19 * 64 * 64)
BYTES = 25 * 64 * 64 * 4
"""Of one image, its part of an archive, and its outputs."""


def test_the_first_batch_is_small_and_the_next_as_large_as_its_pace_allows() -> None:
    assert small(free_bytes=GIB, seconds_per_image=None) == FIRST_IMAGES
    assert small(free_bytes=GIB, seconds_per_image=0.01) == MOST_IMAGES
    assert small(free_bytes=GIB, seconds_per_image=2.5) == BATCH_S / 2.5
    assert small(free_bytes=GIB, seconds_per_image=900.0) == 1


def test_a_phone_that_is_nearly_full_gets_what_fits() -> None:
    assert small(free_bytes=SPARE_BYTES + 11 * BYTES + 1, seconds_per_image=0.01) == 8
    assert small(free_bytes=SPARE_BYTES + 3 * BYTES + 1, seconds_per_image=0.01) == 3
    assert small(free_bytes=SPARE_BYTES + BYTES - 1, seconds_per_image=0.01) == 0
    assert small(free_bytes=0, seconds_per_image=None) == 0


def test_large_images_go_one_by_one() -> None:
    assert images_per_batch(inputs=3 * 2048**2, outputs=19 * 2048**2, free_bytes=4 * GIB, seconds_per_image=0.01) == 1


def test_what_comes_out_for_one_class_takes_no_room() -> None:
    assert images_per_batch(inputs=3 * 224**2, outputs=1000, free_bytes=4 * GIB, seconds_per_image=0.001) == 24


@given(st.integers(16, 2048), st.integers(1, 255), st.integers(0, GIB), st.one_of(st.none(), st.floats(0, 1e4)))
def test_a_batch_never_takes_more_room_than_there_is(side: int, classes: int, free: int, pace: float | None) -> None:
    images = images_per_batch(
        inputs=3 * side * side, outputs=classes * side * side, free_bytes=free, seconds_per_image=pace
    )
    taken = images * (6 + classes) * side * side * 4
    assert 0 <= images <= MOST_IMAGES
    assert taken <= max(0, free - SPARE_BYTES)
    assert images <= 1 or taken <= MOST_BYTES
