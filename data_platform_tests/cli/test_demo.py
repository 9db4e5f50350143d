"""The demo, and the commands over what it left: a newcomer's first hour."""

from __future__ import annotations

import csv
import io
import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from data_platform.catalog import DATASETS, TABLES
from data_platform.records.connection import open_records
from data_platform.settings import Settings
from data_platform_tests.cli.conftest import COMMAND, Ran, environment, run, run_here

Platform = Callable[..., Ran]


def test_the_demo_runs_and_tells_what_it_did(demo: tuple[Path, Ran]) -> None:
    home, ran = demo
    assert ran.code == 0, ran.err
    for expected in ("crsp_daily", "ff_factors_daily", "5 of 5", "35 of 35", "What to do next", "The demo took"):
        assert expected in ran.out
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "Traceback" not in ran.err


def test_nothing_runs_after_the_demo(demo_home: Path) -> None:
    assert _processes(demo_home) == []


def test_a_second_demo_finds_everything_current(demo_home: Path, platform: Platform) -> None:
    again = platform("demo")
    assert again.code == 0, again.err
    assert "0 of 5" in again.out
    assert len(list((demo_home / "warehouse/tables/crsp_daily/versions").iterdir())) == 5


def test_status_lists_every_table(platform: Platform) -> None:
    states = {state["table"]: state for state in platform("status", "--json").json}
    assert set(states) == set(TABLES)
    synced = {name for name, state in states.items() if state["validation_status"] == "passed"}
    assert synced == {"crsp_daily", "crsp_names", "compustat_annual", "ff_factors_daily", "ff_factors_monthly"}
    assert {state["row_count"] for name, state in states.items() if name not in synced} == {None}
    crsp = states["crsp_daily"]
    assert (crsp["dataset"], crsp["manifest_version"], crsp["validation_status"]) == ("crsp", 5, "passed")
    assert {"last_sync", "row_count", "schema_version"} <= set(crsp)
    assert "crsp_daily" in platform("status").out


def test_versions_are_listed_oldest_first(platform: Platform) -> None:
    versions = platform("versions", "crsp_daily", "--json").json
    assert [version["manifest_version"] for version in versions] == [1, 2, 3, 4, 5]
    assert set(versions[0]) == {
        "manifest_version",
        "sync_timestamp",
        "start_date",
        "end_date",
        "row_count",
        "checksum",
        "schema_version",
    }
    counts = [version["row_count"] for version in versions]
    assert counts == sorted(counts)


def test_query_in_every_format(platform: Platform) -> None:
    sql = "SELECT permno, date, ret FROM crsp_daily ORDER BY permno, date LIMIT 3"
    rows = platform("query", "-d", "crsp", sql, "--json").json
    assert [set(row) for row in rows] == [{"permno", "date", "ret"}] * 3
    as_csv = platform("query", "-d", "crsp", sql, "--format", "csv").out
    assert [row["permno"] for row in csv.DictReader(io.StringIO(as_csv))] == [str(row["permno"]) for row in rows]
    assert str(rows[0]["permno"]) in platform("query", "-d", "crsp", sql).out


def test_query_as_parquet(demo_home: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "query", "-d", "crsp", "SELECT count(*) AS n FROM crsp_daily", "--format", "parquet"],
        env=environment(demo_home),
        cwd=demo_home.parent,
        capture_output=True,
        check=True,
    )
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 1


def test_a_narrow_terminal_leaves_columns_out_and_breaks_no_name(demo_home: Path) -> None:
    narrow, piped = run(demo_home, "status", COLUMNS="80"), run(demo_home, "status", COLUMNS="")
    tables = [row["table"] for row in run(demo_home, "status", "--json").json]
    assert all(f" {table} " in narrow.out and f" {table} " in piped.out for table in tables)
    assert max(map(len, narrow.out.splitlines())) <= 80
    assert "Not shown for want of width" in narrow.err
    assert "Version. --json has everything." in narrow.err
    assert "want of width" not in piped.err
    # What a row is about stays.
    assert "Validation" in narrow.out
    logs = run(demo_home, "logs", COLUMNS="80")
    assert ("Message" in logs.out, "published version 5" in " ".join(logs.out.split())) == (True, True)
    assert "want of width: Dataset." in logs.err


def test_query_reads_an_older_version(platform: Platform) -> None:
    sql = "SELECT count(DISTINCT year(date)) AS years FROM crsp_daily"
    assert platform("query", "-d", "crsp", sql, "--as-of", "2", "--json").json == [{"years": 2}]
    assert platform("query", "-d", "crsp", sql, "--json").json == [{"years": 5}]


def test_query_as_a_dagster_job_gives_the_same_rows(platform: Platform) -> None:
    sql = "SELECT year(date) AS year, count(*) AS n FROM crsp_daily WHERE year(date) >= ? GROUP BY ALL ORDER BY year"
    asked = ["query", "-d", "crsp", sql, "--param", "1=2020", "--as-of", "2", "--page-size", "1", "--all", "--json"]
    direct, job = platform(*asked), platform(*asked, "--job")
    assert job.code == 0, job.err
    assert job.json == direct.json
    assert len(job.json) == 2
    assert "ran as Dagster run" in job.err
    assert "from crsp_daily version 2" in job.err


def test_a_page_says_how_many_there_are(platform: Platform) -> None:
    ran = platform("query", "-d", "crsp", "SELECT * FROM range(25)", "--page-size", "10", "--page", "3", "--json")
    assert len(ran.json) == 5
    assert "page 3 of 3" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("query", "-d", "nope", "SELECT 1"), 2, "Known: compustat, crsp, fama_french"),
        (("query", "-d", "crsp", "hello world"), 2, "line 1, column 1"),
        (("query", "-d", "crsp", "DROP TABLE crsp_daily"), 2, "Only a SELECT"),
        (("query", "-d", "crsp", "SELECT 1; SELECT 2"), 2, "one statement"),
        (("query", "-d", "crsp", "SELECT * FROM ff_factors_daily"), 2, "not found or not permitted"),
        (("query", "-d", "crsp", "SELECT * FROM read_text('/etc/passwd')"), 2, "read_text"),
        (("query", "-d", "crsp", "SELECT 1", "--as-of", "99"), 2, "no version 99"),
        (
            ("query", "-d", "crsp", "SELECT count(*) FROM range(10000000) a, range(10000000) b", "--timeout", "1"),
            5,
            "date",
        ),
        (("demo", "--rows", "4999"), 2, "5,000 to 5,000,000"),
        (("demo", "--vintage", "3"), 2, "vintages 1 and 2"),
        (("sync", "nope"), 2, "Unknown table"),
        (("sync",), 2, "Say what to sync."),
        (("sync", "--dataset", "nope"), 2, "Unknown dataset"),
        (("sync", "crsp_daily", "--dataset", "crsp"), 2, "exclude each other"),
        (("sync", "--dataset", "crsp", "-p", "2024"), 2, "goes with one table"),
        (("sync", "crsp_daily", "--all", "--full", "--incremental"), 2, "exclude each other"),
        (("sync", "crsp_daily", "-p", "2024", "--all"), 2, "--partition and --all exclude each other."),
        (("preview", "crsp_daily"), 2, "Unknown dataset 'crsp_daily'.\ncrsp_daily is a table of crsp."),
        (("datasets", "crsp_daily"), 2, "crsp_daily is a table of crsp."),
        (("coverage", "crsp"), 2, "Unknown table 'crsp'.\ncrsp is a dataset; its tables: crsp_daily, "),
        (("quality", "crsp"), 2, "crsp is a dataset; its tables: crsp_daily, "),
        (("demo", "--rows", "10"), 2, "A demo of 10 rows can't be made"),
        (("demo", "--vintage", "3"), 2, "There is no vintage 3"),
        (("sync", "crsp_daily"), 2, "say which"),
        (("sync", "crsp_daily", "-p", "1066"), 2, "1066"),
        (("sync", "ff_factors_daily", "-p", "2020"), 2, "not partitioned"),
        (("versions", "crsp_dayly"), 2, "Did you mean crsp_daily"),
        (("quarantine", "show", "nope"), 2, "No quarantine entry"),
        (("lock", "release", "crsp_daily", "nope"), 2, "is not locked by a writer"),
        (("query", "-d", "crsp", "SELECT [1, 2] AS l", "--format", "csv"), 2, "can't be written as csv"),
        (("users", "grant", "nobody", "dataset:nope"), 2, "is no permission"),
        (("users", "set-role", "nobody", "viewer"), 2, "There is no user"),
    ],
)
def test_bad_input_is_one_clear_error(platform: Platform, arguments: tuple[str, ...], code: int, message: str) -> None:
    ran = platform(*arguments)
    assert ran.code == code, ran.err
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DATA_PLATFORM_START_YEAR": "soon"}, "DATA_PLATFORM_START_YEAR"),
        ({"DATA_PLATFORM_WRDS_SSLMODE": "perhaps"}, "DATA_PLATFORM_WRDS_SSLMODE"),
    ],
)
def test_wrong_settings_are_named(platform: Platform, variables: dict[str, str], message: str) -> None:
    ran = platform("status", **variables)
    assert (ran.code, message in ran.err, "Traceback" in ran.err) == (2, True, False)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [("127.0.0.1", "9", "127.0.0.1"), ("{home}/postgres/run", "5432", "refused user and password")],
)
def test_wrong_wrds_credentials_are_one_clear_error_without_the_password(
    demo_home: Path, platform: Platform, host: str, port: str, message: str
) -> None:
    ran = platform(
        "sync",
        "crsp_daily",
        "-p",
        "2024",
        DATA_PLATFORM_START_YEAR="2020",
        DATA_PLATFORM_WRDS_HOST=host.format(home=demo_home),
        DATA_PLATFORM_WRDS_PORT=port,
        DATA_PLATFORM_WRDS_USERNAME="wrds_demo",
        DATA_PLATFORM_WRDS_PASSWORD="hunter2-secret",  # noqa: S106 - not anybody's
        DATA_PLATFORM_WRDS_SSLMODE="disable",
    )
    assert ran.code == 1
    assert message in ran.err
    assert "wrds_demo" in ran.err
    assert "hunter2" not in ran.err + ran.out
    assert "Traceback" not in ran.err
    assert not [path for path in demo_home.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_missing_wrds_credentials_in_a_fresh_home(home: Path) -> None:
    assert "No datasets synced yet" in run(home, "status").err
    ran = run(home, "sync", "crsp_daily", "--partition", "2024")
    assert ran.code == 1
    assert "DATA_PLATFORM_WRDS_USERNAME" in ran.err
    assert "Traceback" not in ran.err
    no_data = run(home, "query", "-d", "crsp", "SELECT 1")
    assert (no_data.code, "No data available" in no_data.err) == (2, True)


def test_a_user_without_permission_is_refused_with_the_reason(demo_home: Path) -> None:
    with open_records(Settings(home=demo_home)):  # so that no command has to start the server
        _refuse_by_role(partial(run_here, demo_home))


def _refuse_by_role(platform: Platform) -> None:
    platform("users", "add", "vera", "--role", "viewer")
    platform("users", "add", "ann", "--role", "analyst")
    vera, ann = (platform("users", "token", name, "--json").json["token"] for name in ("vera", "ann"))
    refused = platform("query", "-d", "crsp", "SELECT 1", DATA_PLATFORM_TOKEN=vera)
    assert (refused.code, "Access to crsp requires dataset:crsp and query:data" in refused.err) == (3, True)
    sync = platform("sync", "crsp_daily", "-p", "2024", DATA_PLATFORM_TOKEN=ann)
    assert (sync.code, "Access to crsp requires trigger:data_sync" in sync.err) == (3, True)
    assert platform("query", "-d", "crsp", "SELECT 1 AS one", "--json", DATA_PLATFORM_TOKEN=ann).json == [{"one": 1}]
    platform("users", "revoke", "ann", "dataset:crsp")
    revoked = platform("query", "-d", "crsp", "SELECT 1", DATA_PLATFORM_TOKEN=ann)
    assert (revoked.code, "Access to crsp requires dataset:crsp" in revoked.err) == (3, True)
    refused = platform("sync", "--dataset", "compustat", DATA_PLATFORM_TOKEN=ann)
    assert (refused.code, "Access to compustat requires" in refused.err) == (3, True)
    assert platform("sync", "--all", DATA_PLATFORM_TOKEN=ann).code == 3
    seen = [state["table"] for state in platform("status", "--json", DATA_PLATFORM_TOKEN=ann).json]
    assert seen == [table.name for table in DATASETS["fama_french"].tables]
    assert platform("versions", "crsp_daily", DATA_PLATFORM_TOKEN=ann).code == 3
    assert platform("users", "list", DATA_PLATFORM_TOKEN=ann).code == 3
    platform("users", "disable", "ann")
    assert platform("status", DATA_PLATFORM_TOKEN=ann).code == 3
    assert platform("status", DATA_PLATFORM_TOKEN="dp_made-up").code == 3  # noqa: S106 - not a token


def test_the_rate_limit_says_how_long_to_wait(demo_home: Path) -> None:
    platform = partial(run_here, demo_home)
    platform("users", "add", "rita", "--role", "analyst")
    token = platform("users", "token", "rita", "--json").json["token"]
    settings = {"DATA_PLATFORM_TOKEN": token, "DATA_PLATFORM_QUERIES_PER_MINUTE": "2"}
    codes = [platform("query", "-d", "crsp", "SELECT 1", **settings).code for _ in range(2)]
    third = platform("query", "-d", "crsp", "SELECT 1", **settings)
    assert (codes, third.code) == ([0, 0], 4)
    assert "Please wait" in third.err


def test_a_locked_table_is_exit_7_and_listed(demo_home: Path, platform: Platform) -> None:
    program = (
        "import sys, time; from pathlib import Path; from data_platform.warehouse.lock import TableLock; "
        f"held = TableLock(Path({str(demo_home / 'warehouse/locks')!r}), 'crsp_daily').acquire(); "
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([COMMAND[0], "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        ran = platform("sync", "crsp_daily", "--partition", "2024")
        listed = platform("lock", "list", "--json").json
    finally:
        holder.kill()
        holder.communicate()
    assert (ran.code, f"process {holder.pid}" in ran.err) == (7, True)
    assert [(lock["table"], lock["alive"], lock["pid"]) for lock in listed] == [("crsp_daily", True, holder.pid)]
    assert platform("sync", "crsp_daily", "--partition", "2024").code == 0
    assert platform("lock", "list", "--json").json == []


def test_verify_finds_nothing_then_a_flipped_byte(demo_home: Path, platform: Platform) -> None:
    sound = platform("verify", "--json")
    assert sound.code == 0
    assert all(report["problems"] == [] for report in sound.json)
    blob = next((demo_home / "warehouse/blobs").rglob("*.parquet"))
    data = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    try:
        damaged = platform("verify")
        assert damaged.code == 1
        assert "has changed" in damaged.err
        assert "needed by versions" in damaged.err
    finally:
        blob.write_bytes(data)
        blob.chmod(0o444)


def test_doctor_is_content_and_tells_no_secret(demo_home: Path, platform: Platform) -> None:
    ran = platform("doctor", "--json")
    assert ran.code == 0
    assert {finding["what"] for finding in ran.json} >= {"home", "disk", "database", "tables", "audit key", "WRDS"}
    assert "WRDS sign-in" not in {finding["what"] for finding in ran.json}
    signed_in = {finding["what"]: finding["detail"] for finding in platform("doctor", "--connect", "--json").json}
    assert signed_in["WRDS crsp"] == "7 of 7 tables can be read"
    assert signed_in["WRDS compustat"] == "4 of 4 tables can be read"
    secrets = (demo_home / "postgres" / "credentials.json").read_text().split('"')
    assert not [word for word in secrets if len(word) > 20 and word in ran.out]


def test_commands_at_the_same_time_share_one_server(demo_home: Path) -> None:
    processes = [
        subprocess.Popen(
            [*COMMAND, "query", "-d", "crsp", f"SELECT {number} AS n", "--json"],
            env=environment(demo_home, DATA_PLATFORM_QUERIES_PER_MINUTE="1000"),
            cwd=demo_home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, answers
    assert _processes(demo_home) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_sync_says_so_and_the_next_one_works(
    demo_home: Path, platform: Platform, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "sync", "crsp_daily", "--all", "--full"],
        env=environment(demo_home),
        cwd=demo_home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lock = demo_home / "warehouse/locks/crsp_daily.lock"
    while not lock.exists():
        assert process.poll() is None, "the sync ended before it could be interrupted"
        time.sleep(0.005)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said
    if number is not signal.SIGKILL:
        assert "Interrupted; what was published before stays." in said
        assert _processes(demo_home) == []
    assert platform("sync", "crsp_daily", "--all").code == 0
    assert _processes(demo_home) == []
    assert platform("lock", "list", "--json").json == []
    assert list((demo_home / "warehouse/staging").iterdir()) == []


def test_an_interrupted_query_says_nothing_of_publishing(demo_home: Path, platform: Platform) -> None:
    process = subprocess.Popen(
        [*COMMAND, "query", "-d", "crsp", "SELECT count(*) FROM range(10000000) a, range(10000000) b"],
        env=environment(demo_home, DATA_PLATFORM_QUERIES_PER_MINUTE="1000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not platform("queries", "list", "--running", "--json").json:
        assert process.poll() is None, "the query ended before it could be interrupted"
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1:]) == (130, ["Interrupted."]), said


def _processes(home: Path) -> list[str]:
    """Everything that still runs on behalf of a home."""
    found: list[str] = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        words = " ".join(process.info["cmdline"] or [])
        environ = process.info["environ"] or {}
        if (str(home) in words or environ.get("DATA_PLATFORM_HOME") == str(home)) and process.info[
            "status"
        ] != "zombie":
            found.append(words)
    return found
