"""Every route of the webserver and every command has a rule in doors.txt, and keeps it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.routing import Mount

from data_platform_tests.cli.conftest import run_here
from data_platform_tests.cli.every_command import ANSWERED_BY_A_SERVER, KEYS_ONLY, every_command
from data_platform_tests.governance.test_permission_table import LINES
from data_platform_tests.orchestration.api.served import Served

ROLES: Final = ("viewer", "analyst", "operator", "admin")
BY_HAND: Final = {"up", "demo"}
"""Commands that go on for long once they are let in."""

PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "/pages": {"cursor": "none"},
    **{path: {"dataset": "crsp"} for path in ("/coverage", "/quality/results", "/quality/trends")},
}
BODIES: Final[dict[str, dict[str, object]]] = {
    "/queries": {"dataset": "crsp", "sql": "SELECT 1", "wait_seconds": 30},
    "/queries/dry-run": {"dataset": "crsp", "sql": "SELECT 1"},
    "/queries/{query_id}/kill": {"reason": "why"},
    "/exports": {"dataset": "crsp", "sql": "SELECT 1"},
    "/alerts/{alert_id}/acknowledge": {"reason": "why"},
    "/sync/schedules/{dataset}/{table}": {"expected_version": 999_999},
    "/sync/{dataset}/trigger": {"table": "crsp_daily", "partitions": ["2024"], "reason": "why"},
}
NAMES: Final = {"name": "crsp", "dataset": "crsp", "table": "crsp_daily", "alert_id": "987654"}


def _read() -> dict[str, str]:
    lines = Path(__file__).with_name("doors.txt").read_text(encoding="utf-8").splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines if line and not line.startswith("#")]
    assert len({door for door, _ in rows}) == len(rows), "a door has two rows"
    return dict(rows)


DOORS = _read()
ALLOWED = {(line.role, line.action, line.dataset): line.allows(0, 0) for line in LINES}
"""What each role's permissions are, as permission_cases.txt has it."""


def may(role: str, rule: str) -> bool:
    if rule in {"signed-in", "own", "machine"}:
        return True
    if rule == "admin":
        return role == "admin"
    actions = ("view:data_sync" if rule == "page" else rule).split("&")
    return all(ALLOWED[role, each.partition("@")[0], each.partition("@")[2] or "-"] for each in actions)


def routes(served: Served) -> Iterator[str]:
    """Every route: of the interface by method, of Dagster's webserver whatever the method."""
    for route in served.app.routes:
        found: Any = route
        if isinstance(route, Mount) and route.path == "/api/v1":
            interface: Any = route.app
            for path, operations in interface.openapi()["paths"].items():
                yield from (f"{method.upper()} /api/v1{path}" for method in operations)
            # What the description leaves out is a route all the same.
            yield from (f"GET /api/v1{each.path}" for each in interface.routes if hasattr(each, "path"))
            for each in interface.routes:
                assert hasattr(each, "path") or all(route.include_in_schema for route in each.original_router.routes)
        else:
            yield f"ANY {found.path or '/'}"


def test_every_door_has_a_row_and_every_row_a_door(served: Served) -> None:
    there = set(routes(served)) | {f"COMMAND {name}" for name, _ in every_command()}
    assert there - set(DOORS) == set(), "a door without a rule"
    assert set(DOORS) - there == set(), "a rule without a door"


@pytest.mark.parametrize("door", [door for door in DOORS if "/api/v1/" in door])
def test_a_route_of_the_interface_keeps_its_rule(served: Served, door: str) -> None:
    for role in ROLES:
        served.world.forget_runs()
        with served.http(role) as http:
            answer = _ask(http, door)
        assert answer.status_code not in {401, 422, 500, 503}, (role, answer.text)
        assert (answer.status_code != 403) is may(role, DOORS[door]), (role, answer.text)
        if DOORS[door] == "own":
            assert answer.status_code in {400, 404}, (role, answer.text)
    with served.http(None) as http:
        assert _ask(http, door).status_code == 401


def _ask(http: httpx.Client, door: str) -> httpx.Response:
    method, _, path = door.partition(" /api/v1")
    asked = re.sub(r"{(\w+)}", lambda found: NAMES.get(found[1], str(uuid.uuid4())), path)
    return http.request(method, asked.lstrip("/"), json=BODIES.get(path), params=PARAMETERS.get(path))


def test_dagsters_own_routes_keep_theirs(served: Served) -> None:
    for door, rule in DOORS.items():
        if not door.startswith("ANY "):
            continue
        path = re.sub(r"{[^}]*}", "x", door.removeprefix("ANY "))
        method = "POST" if rule == "admin" or path == "/graphql" else "GET"
        for role in (*ROLES, None):
            with served.http(role) as http:
                status = http.request(method, f"{served.url}{path}", json={"query": "{ version }"}).status_code
            if role is None:
                assert status == 401, door
            else:
                assert (status not in {401, 403}) is may(role, rule), (door, role, status)


def _boundary(rule: str) -> list[str]:
    """The last role that a rule refuses, and the first that it lets in; administrators do what is theirs elsewhere."""
    roles = ROLES[:-1]
    return [*[role for role in roles if not may(role, rule)][-1:], *[role for role in roles if may(role, rule)][:1]]


def test_every_command_keeps_its_rule(served: Served, torture: bool) -> None:
    wrong: list[str] = []
    given = {"DATA_PLATFORM_QUERIES_PER_MINUTE": "100000", "DATA_PLATFORM_EXPORTS_PER_HOUR": "10000"}
    for name, arguments in every_command():
        rule = DOORS[f"COMMAND {name}"]
        if rule == "machine":
            continue
        stranger = [None] if torture or name in ANSWERED_BY_A_SERVER else []
        for role in [*(ROLES[:-1] if torture else _boundary(rule)), *stranger]:
            if name in BY_HAND and role is not None and may(role, rule):
                continue
            served.world.forget_runs()
            token = served.world.tokens[role] if role else "dp_wrong"
            done = run_here(served.settings.home, *name.split(), *arguments, DATA_PLATFORM_TOKEN=token, **given)
            if (done.code != 3) is not (role is not None and may(role, rule)):
                wrong.append(f"{name} as {role}: {done.code} {done.err.strip()[-200:]}")
    assert wrong == []


def test_a_command_that_no_server_answers_says_that_it_works_on_the_machine_itself(tmp_path: Path) -> None:
    wrong: list[str] = []
    for name, arguments in every_command():
        if name in ANSWERED_BY_A_SERVER | KEYS_ONLY:
            continue
        done = run_here(tmp_path / "none", *name.split(), *arguments, DATA_PLATFORM_URL="https://data.example.org")
        if done.code != 2 or "works only on the machine" not in done.err:
            wrong.append(f"{name}: {done.code} {done.err.strip()[-200:]}")
    assert wrong == []
    assert not (tmp_path / "none").exists()
