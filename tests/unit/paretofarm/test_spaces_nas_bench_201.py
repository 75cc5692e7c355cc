from pathlib import Path

import numpy as np
import pytest

from paretofarm.errors import ArchitectureError
from paretofarm.spaces import NasBench201Space
from paretofarm.spaces.nas_bench_201 import CHOICES, OfficialNumbers, from_codes, to_codes, to_string

TABLE = Path(__file__).parents[3] / "benchmarks" / "data" / "nb201_hw.npz"
SPACE = NasBench201Space(type="nas_bench_201").search_space()


@pytest.fixture(scope="module")
def official() -> OfficialNumbers:
    with np.load(TABLE) as table:
        return OfficialNumbers(table["ops"])


def test_it_has_as_many_architectures_as_the_benchmark_each_in_the_table_once(official: OfficialNumbers) -> None:
    numbers = [official.number(architecture) for architecture in SPACE.enumerate()]
    assert sorted(numbers) == list(range(15_625)) == list(range(SPACE.size())) == list(range(len(official)))


def test_a_number_leads_to_an_architecture_and_back(official: OfficialNumbers) -> None:
    for number in (0, 1, 6111, 15_624):
        architecture = official.architecture(number)
        assert SPACE.validate(architecture.choices) == architecture
        assert official.number(architecture) == number


def test_the_most_accurate_one_is_written_as_the_literature_writes_it(official: OfficialNumbers) -> None:
    assert to_string(official.architecture(6111)) == (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    )


def test_every_neighbour_differs_in_one_edge() -> None:
    neighbours = SPACE.neighbours(from_codes((0, 1, 2, 3, 4, 0)))
    assert len(neighbours) == 6 * 4
    assert {sum(a != b for a, b in zip(to_codes(one), (0, 1, 2, 3, 4, 0), strict=True)) for one in neighbours} == {1}


def test_choices_are_named_after_their_edges() -> None:
    assert CHOICES == ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")


@pytest.mark.parametrize(
    ("operations", "executed", "connected"),
    [
        ((3, 3, 3, 1, 0, 0), 0, 0),  # nothing asks for nodes 1 and 2
        ((0, 0, 3, 1, 0, 3), 2, 0),  # node 2 is computed from node 1, which is zero
        ((3, 0, 3, 0, 0, 2), 2, 2),  # a chain
        ((0, 0, 0, 0, 0, 0), 0, 0),
    ],
)
def test_a_phone_computes_what_the_output_depends_on(
    operations: tuple[int, ...], executed: int, connected: int
) -> None:
    numbers = SPACE.describe(from_codes(operations)).numbers
    assert (numbers["nor_conv_3x3, executed"], numbers["nor_conv_3x3"]) == (executed, connected)


def test_an_architecture_that_a_table_lacks_is_written_out() -> None:
    part = OfficialNumbers(np.array([[0, 0, 0, 0, 0, 0]], dtype=np.uint8))
    with pytest.raises(ArchitectureError, match=r"\|skip_connect~0\|\+.* is not in the table"):
        part.number(from_codes((1, 0, 0, 0, 0, 0)))


@pytest.mark.parametrize("operations", [np.zeros((3, 5), np.uint8), np.full((1, 6), 5, np.uint8)])
def test_a_table_of_another_benchmark_is_refused(operations: np.ndarray) -> None:
    with pytest.raises(ArchitectureError, match="nas_bench_201"):
        OfficialNumbers(operations)
