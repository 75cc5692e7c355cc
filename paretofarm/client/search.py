"""One search, by HTTP."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from paretofarm.client.candidates import Candidates, Document
from paretofarm.client.connection import Connection

PAGE = 1000


class Search:
    """name: or id. Nothing is asked before a method is called. Errors: those of `Connection`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        self._path = f"/searches/{quote(name, safe='')}"

    def __repr__(self) -> str:
        return f"Search({self.name!r})"

    def status(self) -> Document:
        """How far it is, as `paretofarm search show --json`."""
        return self._connection.get(self._path)

    def candidates(
        self,
        *,
        where: str | None = None,
        sort: str | None = None,
        device: str | None = None,
        limit: int | None = None,
        fields: Sequence[str] | None = None,
    ) -> Candidates:
        """where: `latency_ms < 4 and miou > 0.6`; sort: a column, `-column` for the greatest first; limit: None for
        all; fields: which columns, all metrics where not given."""
        chosen = None if fields is None else ",".join(fields)
        asked = {"where": where, "sort": sort, "device": device, "fields": chosen}

        def pages() -> Iterator[list[Document]]:
            left, after = limit, None
            while left is None or left > 0:
                size = PAGE if left is None else min(left, PAGE)
                page = self._connection.get(f"{self._path}/candidates", {**asked, "limit": size, "after": after})
                yield page["candidates"]
                after = page["next"]
                left = None if left is None else left - len(page["candidates"])
                if after is None:
                    return

        return Candidates(pages)

    def front(
        self,
        *,
        device: str | None = None,
        metrics: Sequence[str] = (),
        where: str | None = None,
        confident: bool = False,
    ) -> Candidates:
        """The Pareto front: of the search's objectives, or of two or three other metrics. confident: members too that
        overlapping intervals leave in doubt."""
        axes = dict(zip(("x", "y", "z"), metrics, strict=False))
        asked = {"device": device, "where": where, "confident": confident, **axes}

        def pages() -> Iterator[list[Document]]:
            yield self._connection.get(f"{self._path}/front", asked)["candidates"]

        return Candidates(pages)

    def hypervolume(self, *, device: str | None = None) -> Document:
        """How the front got better, against evaluations and time."""
        return self._connection.get(f"{self._path}/hypervolume", {"device": device})

    def cost(self) -> Document:
        """Hours of GPUs, phones and CPUs so far, and what they cost."""
        return self._connection.get(f"{self._path}/cost")

    def points(
        self, *, device: str | None = None, x: str | None = None, y: str | None = None, z: str | None = None
    ) -> dict[str, Any]:
        """All complete candidates as columns, for plots: of the search's objectives where no metrics are named."""
        return self._connection.get(f"{self._path}/points", {"device": device, "x": x, "y": y, "z": z})

    def stop(self) -> Document:
        return self._connection.post(f"{self._path}/stop")

    def resume(self) -> Document:
        return self._connection.post(f"{self._path}/resume")

    def finish(self, **final: Any) -> Document:
        """Trains the best networks to the end, by a search of its own, whose name is in the answer.

        final: members, epochs, recipe, name; as under `final:` of an experiment file. The search must be over.
        """
        return self._connection.post(f"{self._path}/finish", content=json.dumps(final), kind="application/json")

    def raise_limit(self, candidates: int) -> Document:
        """Asks for so many complete candidates."""
        return self._connection.patch(self._path, {"stop": {"candidates": candidates}})

    def delete(self) -> Document:
        """For ever: its rows, and the artifacts that no other search shares. It must not run."""
        return self._connection.delete(self._path)
