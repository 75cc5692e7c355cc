"""Who is let in: tokens, logins, and what other sites' pages cannot do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cli_results import store_results
from click.testing import CliRunner
from dashboard_client import asking, bearer, make_app, make_token
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text

from cli.main import main
from dashboard.auth.identity import COOKIE
from dashboard.gatekeeper import LARGEST_BODY
from db.session import Database
from paretofarm.access import Scope

OPEN_TO_ALL = {"/healthz", "/metrics", "/login", "/logout"}
SEARCHES = "/api/v1/searches"


@pytest.fixture
def app(database: Database, tmp_path: Path) -> FastAPI:
    return make_app(database, tmp_path)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with asking(app) as client:
        yield client


def log_in(client: TestClient, token: str, **headers: str) -> int:
    answer = client.post("/login", data={"token": token, "next": "/docs"}, headers=headers, follow_redirects=False)
    return answer.status_code


def page_token(client: TestClient) -> str:
    page = client.get("/docs").text
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path, with something in place of every parameter."""
    paths = app.openapi()["paths"]
    listed = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    pages = [(method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods]
    return [(method, path.replace("{", "").replace("}", "")) for method, path in {*listed, *pages}]


def test_nothing_but_health_answers_without_a_token(app: FastAPI, client: TestClient) -> None:
    asked = [(method, path) for method, path in routes(app) if path not in OPEN_TO_ALL]
    assert len(asked) > 5
    for method, path in asked:
        answer = client.request(method, path, follow_redirects=False)
        assert answer.status_code in (401, 303), (method, path)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/login?next=")
        else:
            assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/metrics").status_code == 200


def test_a_token_lets_in(client: TestClient, database: Database) -> None:
    token = make_token(database, Scope.READ)
    assert client.get(SEARCHES, headers=bearer(token)).json() == {"searches": []}
    with database.transaction() as session:
        assert session.scalar(text("SELECT last_used_at IS NOT NULL FROM api_tokens"))
        assert (
            session.scalar(
                text("SELECT count(*) FROM api_tokens t WHERE to_jsonb(t)::text LIKE :secret"),
                {"secret": f"%{token.rpartition('_')[2]}%"},
            )
            == 0
        )


def test_wrong_expired_and_revoked_tokens_do_not(
    client: TestClient, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = make_token(database, Scope.READ)
    tampered = good[:-1] + ("0" if good[-1] != "0" else "1")
    expired = make_token(database, Scope.READ, lifetime=timedelta(seconds=-1))
    for token, complaint in ((tampered, "no such token"), (expired, "has expired"), ("hello", "no token")):
        answer = client.get(SEARCHES, headers=bearer(token))
        assert (answer.status_code, complaint in answer.json()["detail"]) == (401, True)
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    assert CliRunner().invoke(main, ["token", "revoke", good.split("_")[1]]).exit_code == 0
    assert "was revoked" in client.get(SEARCHES, headers=bearer(good)).json()["detail"]
    assert client.get(SEARCHES, headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_the_command_line_makes_tokens(client: TestClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARETOFARM_DATABASE_URL", database_url)
    made = CliRunner().invoke(main, ["token", "create", "anna", "--scope", "operate", "--expires", "12h"])
    token = made.stdout.strip()
    assert client.get(SEARCHES, headers=bearer(token)).status_code == 200
    listed = CliRunner().invoke(main, ["token", "list"]).stdout
    assert "anna" in listed and "operate" in listed and "good" in listed
    assert token.rpartition("_")[2] not in listed
    assert CliRunner().invoke(main, ["token", "create", "x", "--expires", "soon"]).exit_code == 2
    assert CliRunner().invoke(main, ["token", "revoke", "nobody"]).exit_code == 2


def test_a_browser_logs_in_and_out(client: TestClient, database: Database) -> None:
    token = make_token(database, Scope.READ)
    answer = client.post("/login", data={"token": token, "next": "/docs"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert token not in cookie
    assert client.get(SEARCHES).status_code == 200
    assert client.post("/logout", follow_redirects=False).status_code == 403
    assert client.post("/logout", data={"csrf_token": page_token(client)}, follow_redirects=False).status_code == 303
    assert client.get(SEARCHES).status_code == 401
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM login_sessions")) == 0


def test_a_session_ends_with_its_token_and_with_its_time(client: TestClient, database: Database) -> None:
    for ending in (
        "UPDATE api_tokens SET revoked_at = now()",
        "UPDATE api_tokens SET expires_at = now()",
        "UPDATE login_sessions SET expires_at = now()",
    ):
        assert log_in(client, make_token(database, Scope.READ)) == 303
        assert client.get(SEARCHES).status_code == 200
        with database.transaction() as session:
            session.execute(text(ending))
        assert client.get(SEARCHES).status_code == 401


def test_a_wrong_token_does_not_log_in_and_often_not_at_all(client: TestClient, database: Database) -> None:
    assert [log_in(client, "pf_wrong") for _ in range(6)] == [401] * 5 + [429]
    assert log_in(client, make_token(database, Scope.READ)) == 429


def test_the_login_leads_nowhere_else(client: TestClient, database: Database) -> None:
    token = make_token(database, Scope.READ)
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/x"):
        answer = client.post("/login", data={"token": token, "next": target}, follow_redirects=False)
        assert answer.headers["location"] == "/", target
    page = client.get("/login", params={"next": '"><script>alert(1)</script>'}).text
    assert "<script>" not in page


def test_another_site_s_page_logs_nobody_in(client: TestClient, database: Database) -> None:
    assert log_in(client, make_token(database, Scope.READ), origin="https://evil.example") == 403
    assert log_in(client, make_token(database, Scope.READ), **{"sec-fetch-site": "cross-site"}) == 403


def test_a_stranger_s_cookie_is_nobody_s(client: TestClient) -> None:
    client.cookies.set(COOKIE, "0" * 64)
    assert client.get(SEARCHES).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""])
def test_a_strange_host_is_refused_before_anything_else(client: TestClient, host: str) -> None:
    for path in ("/healthz", SEARCHES, "/login", "/static/app.css"):
        assert client.get(path, headers={"host": host}).status_code == 421


def test_an_oversized_body_is_refused(client: TestClient, database: Database) -> None:
    headers = bearer(make_token(database, Scope.ADMIN))
    large = b"x" * (LARGEST_BODY + 1)
    assert client.post("/login", content=large).status_code == 413
    assert client.post("/login", content=(large[:500_000] for _ in range(4))).status_code == 413
    assert client.post("/login", headers={**headers, "content-length": "junk"}, content=b"x").status_code == 413


def test_every_answer_is_guarded(client: TestClient) -> None:
    for path in ("/healthz", SEARCHES, "/login", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_files_of_the_page_are_cached_by_their_digest(client: TestClient) -> None:
    page = client.get("/login").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/app.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


def test_an_open_dashboard_needs_no_token_and_still_refuses_other_sites(database: Database, tmp_path: Path) -> None:
    store_results(database)
    with asking(make_app(database, tmp_path, open=True)) as client:
        assert client.get(SEARCHES).status_code == 200
        assert client.get(SEARCHES, headers={"host": "evil.example"}).status_code == 421
