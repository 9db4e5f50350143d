"""The corpus of attacks: each works where there is no door, no two are the same, and none works at the door."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from data_platform.governance.fingerprint import fingerprint
from data_platform_tests.governance.corpus import bombs
from data_platform_tests.governance.corpus.door import PROBE, Door
from data_platform_tests.governance.corpus.plain import Plain
from data_platform_tests.governance.corpus.reading import Case, cases, fill
from data_platform_tests.governance.corpus.shapes import shape
from data_platform_tests.governance.corpus.world import lay_out

ATTACKS = cases("attacks")
BOMBS = [case for case in ATTACKS if case.family == "resource"]
LEAKING = [case for case in ATTACKS if case.family != "resource"]
LEAST = 300
AT_A_TIME = 4
TIMEOUT = 0.6
PATIENCE = 60.0
"""Far beyond the limit, since the machine may be busy; without one, most bombs would not end within minutes."""


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    opened = Plain(tmp_path / "plain")
    yield opened
    opened.close()


def test_no_two_attacks_of_a_family_are_the_same_tree() -> None:
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    with duckdb.connect() as connection:
        for case in ATTACKS:
            same[case.family, shape(connection, fill(case.sql, {}))].append(case.id)
    assert [ids for ids in same.values() if len(ids) > 1] == []
    assert len(same) >= LEAST


def test_every_attack_works_against_plain_duckdb(plain: Plain) -> None:
    without = [case.id for case in LEAKING if not plain.evidence(fill(case.sql, plain.places()))]
    assert without == []


def test_what_is_no_attack_is_not_taken_for_one(plain: Plain) -> None:
    for harmless in ("SELECT * FROM crsp_daily", "SELECT 1", "SELECT nonsense", "DESCRIBE crsp_daily"):
        assert plain.evidence(harmless) == set()


def test_every_bomb_breaks_the_budget_of_plain_duckdb(tmp_path: Path) -> None:
    lay_out(tmp_path / "files")
    table = tmp_path / "files" / "crsp.parquet"
    ends = bombs.outcomes([fill(case.sql, {}) for case in BOMBS], table)
    assert [case.id for case, end in zip(BOMBS, ends, strict=True) if end not in bombs.BUDGET_EXCEEDED] == []
    harmless = ["SELECT max(ret) FROM crsp_daily", "SELECT no_such_function()"]
    assert bombs.outcomes(harmless, table, seconds=PATIENCE) == ["answered", "refused"]


def test_the_door_withstands_every_attack_and_records_it(door: Door) -> None:
    asked: list[str] = []
    wrong: list[tuple[str, str, object]] = []
    for case in LEAKING:
        sql = fill(case.sql, door.places)
        asked.append(sql)
        answer = door.ask(sql)
        if not answer.refused:
            wrong.append((case.id, "answered", answer.said))
        if leaks := door.lets_out(sql, answer):
            wrong.append((case.id, "let out", (leaks, answer.said)))
        if changes := door.changed():
            wrong.append((case.id, "changed", changes))
    assert wrong == []
    assert door.ask(PROBE).said == "['n'] [[50]]"
    _check_audit(door, [*asked, PROBE], ["error"] * len(asked) + ["success"])


def _check_audit(door: Door, asked: list[str], results: list[str]) -> None:
    rows = door.audit()
    attempts = [row for row in rows if row.attempt_id is None]
    outcomes = {row.attempt_id: row.result for row in rows if row.attempt_id is not None}
    assert [row.query_fingerprint for row in attempts] == [fingerprint(sql) for sql in asked]
    assert [outcomes.get(row.id) for row in attempts] == results
    assert len(rows) == 2 * len(asked)


def test_the_door_ends_every_bomb_and_answers_the_next_query(door: Door) -> None:
    def strike(number: int, case: Case) -> list[tuple[str, object]]:
        sql = fill(case.sql, door.places)
        started = time.monotonic()
        answer = door.ask(sql, user=f"user{number % AT_A_TIME}", timeout_seconds=TIMEOUT)
        taken = time.monotonic() - started
        wrong: list[tuple[str, object]] = [(case.id, leak) for leak in door.lets_out(sql, answer)]
        if not answer.refused or taken > PATIENCE:
            wrong.append((case.id, (taken, answer.said)))
        probed = door.ask(PROBE, user=f"user{number % AT_A_TIME}")
        if probed.said != "['n'] [[50]]":
            wrong.append((case.id, probed.said))
        return wrong

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = list(pool.map(strike, range(len(BOMBS)), BOMBS))
    assert [wrong for each in found for wrong in each] == []
    assert door.changed() == set()
    rows = door.audit()
    assert len(rows) == 4 * len(BOMBS)
    assert sum(row.result in {"timeout", "error"} for row in rows) == len(BOMBS)
