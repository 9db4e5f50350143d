"""The same attacks against three doors, and the same honest queries: who stops what."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.client import PEER_PYTHON, PROJECT
from benchmarks.query_allow_list import refusal
from benchmarks.query_unguarded import Unguarded
from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
from data_platform.records.connection import Records
from data_platform_tests.governance.corpus import bombs, market
from data_platform_tests.governance.corpus.door import Door
from data_platform_tests.governance.corpus.reading import Case, cases, fill
from data_platform_tests.governance.corpus.world import (
    LEAKS,
    foreign_factors,
    foreign_rows,
    lay_out,
    permitted_rows,
)

DOOR: Final = "door"
ALLOW_LIST: Final = "allow-list"
DATASETTE: Final = "datasette"

STOPPED: Final = "stopped"
THROUGH: Final = "let through"
HARMLESS: Final = "came to nothing"
UNKNOWN: Final = "not understood"

PERMITTED: Final = "crsp_daily"
_FOREIGN: Final = ("compustat_annual", "ff_factors_daily")
_ENDLESS: Final = frozenset({"resource", "sleep"})
"""Families that take the machine's time or memory, and get nothing out."""

_SECONDS: Final = 0.6
"""The time limit of such a statement at our door; a DuckDB without one is given about as much."""

_UNKNOWN_TO_SQLITE: Final = (
    *("syntax error", "unrecognized token", "incomplete input", "no such", "wrong number of arguments", "parser stack"),
    *("is not a function", "not supported", "malformed"),
)

Verdicts = Mapping[str, Counter[str]]
"""By family, how many attacks came to which end."""


def read_sample(file: Path) -> list[Case]:
    """The attacks of a JSONL file, those of them that a door must refuse.

    A line has `id`, `family`, `why`, `expected`, and `sql` or `sql_py`, a Python expression that builds a long text.
    """
    found: list[Case] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        each = json.loads(line)
        if each["expected"] != "refuse":
            continue
        allowed: dict[str, Any] = {"str": str, "range": range, "__builtins__": {}}
        sql = each["sql"] if each["sql"] is not None else str(eval(each["sql_py"], allowed))  # noqa: S307 - as described
        found.append(Case(each["id"], each["family"], each["why"], _in_our_words(sql)))
    return found


def _in_our_words(sql: str) -> str:
    """The placeholders that a sample has for files and folders, as the corpus has them."""
    for theirs, ours in (("{FF}", "{CRSP}"), ("{CAT}", "{DB}"), ("{TMP}", "{OUT}")):
        sql = sql.replace(theirs, ours)
    return sql


def at_our_door(attacks: Sequence[Case], records: Records, folder: Path, engine: QueryEngine) -> Verdicts:
    """Put each to the service of an installation with three datasets, in the name of an analyst of one."""
    door = Door(records, folder, engine)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case in attacks:
        sql = fill(case.sql, door.places)
        answer = door.ask(sql, timeout_seconds=_SECONDS if case.family in _ENDLESS else 20.0)
        harmed = bool(door.lets_out(sql, answer) or door.changed())
        found[case.family][THROUGH if harmed else STOPPED if answer.refused else HARMLESS] += 1
    return found


def at_the_allow_list(attacks: Sequence[Case], folder: Path) -> Verdicts:
    """Check each against the list, and run what passes on a DuckDB without a door."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    passed = [case for case in attacks if refusal(fill(case.sql, {}), {PERMITTED}) is None]
    for case in attacks:
        if case not in passed:
            found[case.family][STOPPED] += 1
    unguarded = Unguarded(folder / "unguarded")
    try:
        for case in passed:
            if case.family not in _ENDLESS:
                # Filled by the other side, whose world moves.
                found[case.family][THROUGH if unguarded.evidence(case.sql) else HARMLESS] += 1
    finally:
        unguarded.close()
    endless = [case for case in passed if case.family in _ENDLESS]
    lay_out(folder / "bombs")
    ends = bombs.outcomes([fill(case.sql, {}) for case in endless], folder / "bombs" / "crsp.parquet", _SECONDS)
    for case, end in zip(endless, ends, strict=True):
        found[case.family][THROUGH if end in bombs.BUDGET_EXCEEDED else HARMLESS] += 1
    return found


def at_datasette(attacks: Sequence[Case], folder: Path) -> Verdicts:
    """Put each to Datasette over the same rows in SQLite, as it is written for DuckDB."""
    lay_out(folder / "files")
    databases = folder / "databases"
    databases.mkdir()
    for name, table, rows in (
        ("crsp", PERMITTED, permitted_rows()),
        ("compustat", _FOREIGN[0], foreign_rows()),
        ("fama_french", _FOREIGN[1], foreign_factors()),
    ):
        _to_sqlite(databases / f"{name}.db", table, rows)
    places = {
        "OTHER": str(databases / "compustat.db"), "CRSP": str(databases / "crsp.db"),
        "TXT": str(folder / "files" / "secret.txt"), "CSV": str(folder / "files" / "secret.csv"),
        "JSON": str(folder / "files" / "secret.json"), "DB": str(databases / "compustat.db"),
        "LINK": str(folder / "files" / "link.parquet"), "OUT": str(folder / "files" / "out"), "DIR": str(folder),
    }  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own module
        [str(PEER_PYTHON), "-m", "benchmarks.query_datasette", str(databases)],
        cwd=PROJECT,
        input=json.dumps([fill(case.sql, places) for case in attacks]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case, (status, body) in zip(attacks, json.loads(done.stdout), strict=True):
        found[case.family][end_at_datasette(status, str(body), case.sql)] += 1
    return found


def end_at_datasette(status: int, body: str, sql: str) -> str:
    """What an answer of Datasette's means for the attack that it answers."""
    if status == 200:  # noqa: PLR2004 - OK
        # What a statement holds itself, as a constant, is no news to whoever sent it.
        told = any(word in body.lower() and word not in sql.lower() for word in LEAKS)
        return THROUGH if told else HARMLESS
    # The answer repeats the statement; only what it says of it counts.
    said = str(json.loads(body)["error"]).lower()
    if said.startswith("no such table: ") and said.rpartition(".")[2].removeprefix("no such table: ") in _FOREIGN:
        return STOPPED
    return UNKNOWN if any(words in said for words in _UNKNOWN_TO_SQLITE) else STOPPED


def _to_sqlite(file: Path, name: str, rows: pa.Table) -> None:
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE TABLE {name} ({', '.join(rows.column_names)})")
        values = [
            [v if isinstance(v, int | float | str | None) else str(v) for v in row.values()] for row in rows.to_pylist()
        ]
        marks = ", ".join("?" * rows.num_columns)
        database.executemany(f"INSERT INTO {name} VALUES ({marks})", values)  # noqa: S608 - our own names
    database.close()


def honest_answered(engine: QueryEngine, most: int) -> dict[str, tuple[int, int]]:
    """Of the corpus of honest queries, how many our engine and the list let through: answered, of how many."""
    queries = cases("queries")[:most]
    with tempfile.TemporaryDirectory() as folder:
        views = market.write(Path(folder))

        def answered(sql: str) -> bool:
            try:
                engine.run(sql, views, dataset="crsp", timeout_seconds=20.0)
            except PlatformError:
                return False
            return True

        doors: Mapping[str, Callable[[str], bool]] = {
            DOOR: answered,
            ALLOW_LIST: lambda sql: refusal(sql, views) is None,
        }
        return {
            name: (sum(lets_pass(fill(case.sql, {})) for case in queries), len(queries))
            for name, lets_pass in doors.items()
        }
