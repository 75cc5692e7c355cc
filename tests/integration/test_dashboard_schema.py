"""Whatever the description allows, and what it does not, the API answers it without an error of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from cli_results import store_results
from dashboard_client import bearer, make_app, make_token, running
from factories import store_phone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from services import RunningPostgres

from db.session import Database
from paretofarm.access import Scope

Operation = Any  # schemathesis' own class has four parameters of its inside
EXAMPLES = 15
STREAM = "/api/v1/events/stream"
"""Would never end."""
LONGEST_QUERY = 12_000
"""At 16 KiB the server itself refuses the request and hangs up, which some clients hear before the answer."""


def described(tmp_path: Path) -> dict[str, Any]:
    """The description needs no database."""
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    description: dict[str, Any] = make_app(database, tmp_path).openapi()
    return description


def operations(mode: GenerationMode | None = None) -> list[Operation]:
    """Of those without any parameter nothing can be wrong."""
    schema = schemathesis.openapi.from_dict(described(Path("/nowhere")))
    found = [result.ok() for result in schema.get_all_operations()]
    chosen = [operation for operation in found if operation.path != STREAM]
    if mode is not GenerationMode.NEGATIVE:
        return chosen
    return [each for each in chosen if each.body or each.query or each.path_parameters]


@pytest.fixture(scope="module")
def address(
    postgres: RunningPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, str]]]:
    """Of a dashboard with results, and the headers of an administrator."""
    database = Database(postgres.create_database("schema", template_database), pool_size=20)
    store_results(database)
    with database.transaction() as session:
        store_phone(session, serial="R58M")
    app = make_app(database, tmp_path_factory.mktemp("store"))
    with running(app) as address:
        yield address, bearer(make_token(database, Scope.ADMIN))
    database.dispose()


CASES = [(operation, mode) for mode in GenerationMode for operation in operations(mode)]


@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=[f"{mode.value}-{operation.label}" for operation, mode in CASES]
)
def test_no_request_makes_the_dashboard_fail(
    address: tuple[str, dict[str, str]], operation: Operation, mode: GenerationMode
) -> None:
    base_url, headers = address
    there = {"name": "faces-demo", "candidate_id": 1, "serial": "R58M"}
    existing = {each.name: there[each.name] for each in operation.path_parameters if each.name in there}

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        chosen = existing if mode is GenerationMode.POSITIVE and data.draw(st.booleans()) else None
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=chosen or None))
        assume(len(quote(str(case.query))) < LONGEST_QUERY)
        answer = case.call(base_url=base_url, headers=headers, timeout=20)
        case.validate_response(answer, checks=[not_a_server_error])
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]

    ask()


def test_the_description_names_every_operation_once() -> None:
    found = operations()
    assert len(found) >= 25
    assert len({operation.label for operation in found}) == len(found)
