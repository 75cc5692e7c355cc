"""Flat rows as CSV or Parquet."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response

Row = Mapping[str, Any]
CSV_TYPE = "text/csv; charset=utf-8"
PARQUET_TYPE = "application/vnd.apache.parquet"


def csv_response(rows: Sequence[Row], fields: Sequence[str], headers: Mapping[str, str]) -> Response:
    """An unknown value is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_text(row[name]) for name in fields] for row in rows)
    return Response(buffer.getvalue(), media_type=CSV_TYPE, headers=dict(headers))


def parquet_response(rows: Sequence[Row], fields: Sequence[str], headers: Mapping[str, str]) -> Response:
    """An unknown value is null. Numbers are doubles, whatever is nested is JSON text."""
    import pyarrow
    from pyarrow import parquet

    columns = {name: _column([row[name] for row in rows]) for name in fields}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return Response(buffer.getvalue(), media_type=PARQUET_TYPE, headers=dict(headers))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _column(values: Sequence[Any]) -> Any:
    """The same type on every page, whatever values it happens to hold."""
    import pyarrow

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return pyarrow.array(values, pyarrow.bool_())
    if all(isinstance(value, int | float) for value in known):
        return pyarrow.array([None if value is None else float(value) for value in values], pyarrow.float64())
    return pyarrow.array([None if value is None else _text(value) for value in values], pyarrow.string())
