"""Where in a table of measured architectures (`paretofarm.table`) a number is found, as written in the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from paretofarm.strict import Strict

CODES = "ops"
"""Name of the array that says which architecture a row is about, where the file names no other."""


class TableColumn(Strict):
    """An array of the table, one number per row; what it holds times `scale` is in the unit of the metric."""

    column: str = Field(min_length=1)
    scale: float = Field(1.0, gt=0, allow_inf_nan=False)


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Column = Annotated[TableColumn, BeforeValidator(_column)]
"""A bare name is a column without a scale."""
Columns = Mapping[str, Column]
"""By metric or device class."""


class TableSource(Strict):
    """A table's file and the array that names its rows. A relative path was resolved by whoever loaded the file."""

    table: Path
    codes: str = CODES
