"""The commands of the explorer: parameters, dry runs, exports, history, replay."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_platform.cli.parameters import parameters_of, value_of
from data_platform.errors import UsageError
from data_platform_tests.cli.conftest import run_here

ROWS = "SELECT permno, date, ret FROM crsp_daily WHERE permno = (SELECT min(permno) FROM crsp_daily) ORDER BY date"


@pytest.fixture(scope="module")
def ann(demo_home: Path) -> dict[str, str]:
    """An operator of these tests alone, whose limits nobody else uses."""
    assert run_here(demo_home, "users", "add", "explorer-ann", "--role", "operator").code == 0
    token = run_here(demo_home, "users", "token", "explorer-ann", "--json").json["token"]
    return {"DATA_PLATFORM_TOKEN": token, "DATA_PLATFORM_QUERIES_PER_MINUTE": "100"}


def test_parameters_dry_runs_and_all_pages(demo_home: Path, ann: dict[str, str]) -> None:
    query = ("query", "-d", "crsp", "SELECT count(*) AS n FROM crsp_daily WHERE permno > $p AND date < $d", "--json")
    bound = run_here(demo_home, *query, "--param", "p=0", "--param", "d=2100-01-01", **ann)
    assert bound.json[0]["n"] > 0, bound.err
    plan = run_here(demo_home, "query", "-d", "crsp", "SELECT * FROM crsp_daily", "--dry-run", "--json", **ann).json
    assert list(plan["versions"]) == ["crsp_daily"]
    assert plan["estimated_bytes"] > 0
    told = run_here(demo_home, "query", "-d", "crsp", "SELECT * FROM crsp_daily", "--dry-run", **ann)
    assert "Nothing was read" in told.err
    assert "permno" in told.out
    everything = run_here(demo_home, "query", "-d", "crsp", "SELECT * FROM range(25000)", "--all", "--json", **ann)
    assert [row["range"] for row in everything.json] == [*range(25_000)]
    longer = run_here(
        demo_home, "query", "-d", "crsp", "SELECT * FROM range(100001)", "--all", "--format", "csv", **ann
    )
    assert longer.out.count("\n") == 100_001
    assert "the first 100,000 rows" in longer.err
    assert "100,000 rows, " in longer.err
    assert "page 1" not in longer.err


def test_a_preview_shows_the_columns_that_fit_and_says_how_to_see_the_others(
    demo_home: Path, ann: dict[str, str]
) -> None:
    shown = run_here(demo_home, "preview", "crsp", "--table", "crsp_daily", "--limit", "2", **ann)
    (row, _) = run_here(demo_home, "preview", "crsp", "--table", "crsp_daily", "--limit", "2", "--json", **ann).json
    assert str(row["permno"]) in shown.out
    assert str(row["date"]) in shown.out
    assert "more columns do not fit here: take --json" in shown.err
    assert "2 of " in shown.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--job", "--timeout", "1"), "--job always has the limit of 30 seconds."),
        (("--job", "--page", "2"), "--job shows the first page."),
        (("--job", "--dry-run"), "--dry-run and --job exclude each other."),
        (("--dry-run", "--format", "csv"), "What --dry-run finds can't be written as csv."),
        (("--dry-run", "--format", "parquet"), "What --dry-run finds can't be written as parquet."),
    ],
)
def test_options_of_a_query_that_contradict_each_other(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ran = run_here(tmp_path / "h", "query", "-d", "crsp", "SELECT 1", *options)
    assert (ran.code, ran.out, said in ran.err) == (2, "", True), ran.err
    assert not (tmp_path / "h").exists()


def test_an_export_is_a_file_here_with_its_manifest(demo_home: Path, ann: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "returns.parquet"
    export = ("export", "-d", "crsp", "--format", "parquet", "--output", str(place), ROWS)
    done = run_here(demo_home, *export, "--json", **ann)
    assert done.code == 0, done.err
    assert hashlib.sha256(place.read_bytes()).hexdigest() == done.json["sha256"]
    assert pq.read_table(place).num_rows == done.json["row_count"] > 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert json.loads(Path(f"{place}.manifest.json").read_text())["sql"] == ROWS
    again = run_here(demo_home, *export, **ann)
    assert (again.code, "is there already" in again.err) == (2, True)
    place.unlink()
    beside = run_here(demo_home, *export, **ann)
    assert (beside.code, "manifest.json is there already" in beside.err, place.exists()) == (2, True, False)
    text = run_here(demo_home, "export", "-d", "crsp", "SELECT '' AS e, NULL AS n, '=1' AS f", "-o", "-", **ann)
    assert text.out == '"e","n","f"\n"",,"=1"\n'
    long = run_here(demo_home, "export", "-d", "crsp", "SELECT * FROM range(100001)", **ann)
    assert (long.code, "Filter by date" in long.err) == (2, True)
    viewer = run_here(demo_home, "users", "add", "explorer-vic", "--role", "analyst")
    assert viewer.code == 0
    token = run_here(demo_home, "users", "token", "explorer-vic", "--json").json["token"]
    denied = run_here(demo_home, "export", "-d", "crsp", "SELECT 1", DATA_PLATFORM_TOKEN=token)
    assert (denied.code, "Access to crsp requires export:data" in denied.err) == (3, True)


def test_the_format_of_an_export_is_that_of_its_name(demo_home: Path, ann: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "one.parquet"
    done = run_here(demo_home, "export", "-d", "crsp", "SELECT 1 AS n", "-o", str(place), **ann)
    assert (done.code, pq.read_table(place).to_pylist()) == (0, [{"n": 1}]), done.err
    assert "Exported 1 row\n" in "\n".join(line.rstrip() for line in done.out.splitlines())
    assert ": 1 row in" in done.err


@pytest.mark.parametrize(
    ("place", "options", "said"),
    [
        ("a.parquet", ("--format", "csv"), "a.parquet would hold csv, and its name says parquet."),
        ("a.CSV", ("--format", "parquet"), "a.CSV would hold parquet, and its name says csv."),
        ("", ("--format", "csv"), "The path is empty."),
        ("a.xlsx", (), "The format is neither given nor in the file's name."),
        ("none/a.csv", (), "There is no folder"),
        ("/proc/a.csv", (), "The file can't be written to /proc/a.csv: No such file or directory.\nName another file."),
        ("a" * 300 + ".csv", (), ".csv: File name too long.\nName another file."),
    ],
)
def test_where_an_export_can_not_go_is_said_before_anything_is_asked(
    tmp_path: Path, place: str, options: tuple[str, ...], said: str
) -> None:
    named = str(tmp_path / place) if place else ""
    ran = run_here(tmp_path / "h", "export", "-d", "crsp", "SELECT 1", "-o", named, *options)
    assert (ran.code, ran.out, said in ran.err) == (2, "", True), ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_to_a_folder_where_no_file_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    ran = run_here(tmp_path / "h", "export", "-d", "crsp", "SELECT 1")
    assert (ran.code, "The file can't be written to /proc: " in ran.err) == (2, True), ran.err


def test_history_and_stopping(demo_home: Path, ann: dict[str, str]) -> None:
    run_here(demo_home, "query", "-d", "crsp", "SELECT 'told' AS x", **ann)
    (newest, *_) = run_here(demo_home, "queries", "list", "--json", **ann).json
    assert (newest["query"], newest["state"], newest["user_id"]) == ("SELECT 'told' AS x", "done", "explorer-ann")
    shown = run_here(demo_home, "queries", "list", **ann)
    assert "SELECT 'told' AS x" in shown.out
    assert "is done" in run_here(demo_home, "queries", "cancel", newest["id"], **ann).err
    assert run_here(demo_home, "queries", "cancel", newest["id"]).code == 2
    assert run_here(demo_home, "queries", "cancel", "nonsense", **ann).code == 2
    assert run_here(demo_home, "queries", "list", "--running", **ann).code == 3
    assert run_here(demo_home, "queries", "kill", newest["id"], "--reason", "x", **ann).code == 3
    ended = run_here(demo_home, "queries", "kill", newest["id"], "--reason", "x")
    assert (ended.code, "is done already" in ended.err) == (2, True)
    assert "Nothing runs" in run_here(demo_home, "queries", "list", "--running").err


def test_a_replay_says_whether_the_result_is_the_same(demo_home: Path, ann: dict[str, str]) -> None:
    sums = "SELECT permno, sum(ret) AS s, avg(prc) AS m FROM crsp_daily GROUP BY permno"
    for sql in (sums, "SELECT random() AS r"):
        assert run_here(demo_home, "query", "-d", "crsp", sql, **ann).code == 0
    attempts = [
        row["id"]
        for row in run_here(demo_home, "audit", "show", "queries", "--user", "explorer-ann", "--json").json
        if row["attempt_id"] is None
    ]
    unsteady, steady, *_ = attempts
    same = run_here(demo_home, "audit", "replay", str(steady), "--json")
    assert (same.code, same.json["verdict"]) == (0, "same"), same.err
    assert "ret" not in same.out
    unknown = run_here(demo_home, "audit", "replay", str(unsteady))
    assert (unknown.code, "nobody can tell" in unknown.err) == (1, True)
    assert run_here(demo_home, "audit", "replay", str(steady), **ann).code == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-2.5", -2.5), ("true", True), ("null", None), ("2024-01-15", dt.date(2024, 1, 15)),
        ("2024-13-45", "2024-13-45"), ("AAPL", "AAPL"), ('"007"', "007"), ("", ""), ("[1]", "[1]"), ("NaN", "NaN"),
        ("a=b", "a=b"), ("1e400", "1e400"),
    ],
)  # fmt: skip
def test_a_value_is_what_it_looks_like(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_a_parameter_has_a_name_and_is_given_once() -> None:
    assert parameters_of(None) is None
    assert parameters_of(["1=a", "x==b"]) == {"1": "a", "x": "=b"}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            parameters_of(wrong)
