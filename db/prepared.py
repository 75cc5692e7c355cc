"""Statements that a connection plans once: planning the lease statements costs four times as much as running them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Prepared:
    """A statement with `:named` parameters. parameters: the SQL type of each."""

    name: str
    parameters: Mapping[str, str]
    sql: str

    def execute(self, place: Session | Connection, values: Mapping[str, object]) -> CursorResult[Any]:
        """Runs it in the session's transaction, or on the connection."""
        connection = place.connection() if isinstance(place, Session) else place
        # Belongs to the server's connection: it survives transactions, and goes when the pool drops the connection.
        known = connection.connection.info.setdefault("prepared", set())
        if self.name not in known:
            connection.exec_driver_sql(self._preparation)
            known.add(self.name)
        return connection.exec_driver_sql(self._execution, dict(values))

    @property
    def _preparation(self) -> str:
        positions = {name: f"${number}" for number, name in enumerate(self.parameters, 1)}
        numbered = re.sub(r"(?<!:):(\w+)", lambda match: positions[match[1]], self.sql)
        return f"PREPARE {self.name} ({', '.join(self.parameters.values())}) AS {numbered}"

    @cached_property
    def _execution(self) -> str:
        return f"EXECUTE {self.name} ({', '.join(f'%({name})s' for name in self.parameters)})"
