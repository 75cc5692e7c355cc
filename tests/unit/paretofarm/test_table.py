from io import BytesIO

import numpy as np
import pytest

from paretofarm.architecture import Architecture
from paretofarm.choice import Choice
from paretofarm.errors import BuildFailed, DataError
from paretofarm.search_space import SearchSpace
from paretofarm.table import UNUSED, Table
from paretofarm.table_settings import TableColumn

KIND = Choice("kind", ("plain", "wide"))
SPACE = SearchSpace("small", (KIND, Choice("width", (1.0, 1.5, 2), ordered=True, condition=KIND.is_in("wide"))))
OPS = np.array([[0, UNUSED], [1, 0], [1, 2]], dtype=np.uint8)
ARRAYS = {"ops": OPS, "acc": np.array([50.0, np.nan, 90.0], dtype=np.float32), "seeds": np.zeros((3, 2))}
PERCENT = TableColumn(column="acc", scale=0.01)


def architecture(**choices: str | float) -> Architecture:
    return SPACE.validate(choices)


def content(**arrays: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_a_row_is_found_by_the_choices_that_apply() -> None:
    table = Table.read(content(**ARRAYS), SPACE)
    assert len(table) == 3
    assert table.value(architecture(kind="plain"), PERCENT) == pytest.approx(0.5)
    assert table.value(architecture(kind="wide", width=2), PERCENT) == pytest.approx(0.9)


def test_what_nobody_knows_is_none() -> None:
    assert Table(ARRAYS, SPACE).value(architecture(kind="wide", width=1), PERCENT) is None


def test_an_architecture_that_is_not_in_the_table_is_the_candidates_fault() -> None:
    with pytest.raises(BuildFailed, match="does not have this architecture"):
        Table(ARRAYS, SPACE).value(architecture(kind="wide", width=1.5), PERCENT)


@pytest.mark.parametrize(
    ("column", "complaint"),
    [("miou", "no array miou; it has acc, ops, seeds"), ("seeds", r"array seeds has the shape \[3, 2\], not \[3\]")],
)
def test_a_column_that_it_does_not_have_is_the_users_fault(column: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        Table(ARRAYS, SPACE).value(architecture(kind="plain"), TableColumn(column=column))


def test_a_table_of_another_space_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"array ops has the shape \[3, 3\], expected \[rows, 2\], the choices of small"
    ):
        Table({"ops": np.zeros((3, 3), np.uint8)}, SPACE)


@pytest.mark.parametrize("bad", [b"", b"not a table", content(ops=np.array([{"a": 1}], dtype=object))])
def test_what_is_no_file_of_plain_arrays_is_refused(bad: bytes) -> None:
    with pytest.raises(DataError, match=r"not an \.npz file of plain arrays"):
        Table.read(bad, SPACE)
