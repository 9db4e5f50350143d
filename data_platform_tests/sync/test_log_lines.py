"""Log lines of a sync reach the records in batches, or a file, and no sync waits for them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import polars as pl
import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.cli.session import Session, open_session
from data_platform.orchestration.resource import Platform, open_platform
from data_platform.records.connection import Records, connect_records, open_records
from data_platform.records.databases import Databases
from data_platform.records.embedded.binaries import choose_installation, installations, major_of
from data_platform.records.embedded.programs import Programs
from data_platform.records.embedded.server import start, stop
from data_platform.records.embedded.service import open_embedded
from data_platform.records.pending_loading import load_pending
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sync import SyncContext, SyncOutcome, sync_partitions
from data_platform.sync.journal import Journal
from data_platform.sync.lines import LOGGER, kept_lines
from data_platform.sync.lines.writer import Limits
from data_platform.warehouse import Warehouse
from data_platform_tests.records.processes import eventually
from data_platform_tests.records.waiting import begin, left, line, messages, stored, waiting

CRSP = find_table("crsp_daily")
QUICK = Limits(batch_seconds=0.05, answer_seconds=0.5, retry_seconds=0.1)


@pytest.fixture
def quiet(records: Records, tmp_path: Path) -> SyncContext:
    """A context with an empty home, for what only logs."""
    return context_in(tmp_path, records)


def context_in(home: Path, records: Records) -> SyncContext:
    return SyncContext(Settings(home=home), Warehouse(home / "warehouse"), records)


def journal_of(context: SyncContext) -> Journal:
    return Journal(context.records, CRSP, context.run_id)


@contextmanager
def locked(databases: Databases) -> Iterator[None]:
    """Let nobody write to the table, without an answer, for as long as the block takes."""
    with psycopg.connect(databases.owner_url) as connection:
        connection.execute("LOCK TABLE platform.data_sync_logs IN EXCLUSIVE MODE")
        yield
        connection.rollback()


def transactions(records: Records) -> int:
    """How many transactions have written the lines."""
    with records.transaction(Scope.system("test")) as connection:
        row = connection.execute("SELECT count(DISTINCT xmin::text) AS n FROM platform.data_sync_logs").fetchone()
    assert row is not None
    return int(row["n"])


def test_a_thousand_lines_are_a_dozen_statements(quiet: SyncContext) -> None:
    journal = journal_of(quiet)
    before = dt.datetime.now(dt.UTC)
    with kept_lines(quiet):
        for number in range(1_000):
            journal.log("INFO", f"line {number}", partition="2024", rows=number)
    lines = stored(quiet.records)
    assert [line.message for line in lines] == [f"line {number}" for number in range(1_000)]
    assert transactions(quiet.records) <= 12
    assert {(each.dataset, each.table_name, each.level, each.sync_run_id) for each in lines} == {
        ("crsp", "crsp_daily", "INFO", quiet.run_id)
    }
    assert lines[7].extra == {"partition": "2024", "rows": 7}
    assert before <= lines[0].created_at <= lines[-1].created_at <= dt.datetime.now(dt.UTC)
    assert waiting(quiet.settings.home) == []


def test_lines_are_stored_while_the_run_goes_on(quiet: SyncContext) -> None:
    with kept_lines(quiet, QUICK):
        journal_of(quiet).log("INFO", "begun")
        assert eventually(lambda: messages(quiet.records) == ["begun"])


def test_only_lines_of_the_run_are_kept(quiet: SyncContext) -> None:
    other = dataclasses.replace(quiet, run_id=uuid.uuid4())
    with kept_lines(quiet):
        journal_of(other).log("INFO", "another run")
        LOGGER.warning("no fields at all")
        LOGGER.debug("too small", extra={"dataset": "crsp", "sync_run_id": quiet.run_id})
        logging.getLogger("data_platform.sync.somewhere").error(
            "with fields", extra={"dataset": "crsp", "sync_run_id": quiet.run_id}
        )
    journal_of(quiet).log("INFO", "after the end")
    assert [(line.message, line.level) for line in stored(quiet.records)] == [("with fields", "ERROR")]


def test_blocks_of_one_run_share_their_handler_until_the_last_has_ended(quiet: SyncContext) -> None:
    journal = journal_of(quiet)
    started, finish = threading.Event(), threading.Event()

    def beside() -> None:
        with kept_lines(quiet):
            started.set()
            assert finish.wait(30)
            journal.log("INFO", "last")

    before = list(LOGGER.handlers)
    thread = threading.Thread(target=beside)
    with kept_lines(quiet):
        thread.start()
        assert started.wait(30)
        with kept_lines(quiet):
            journal.log("INFO", "inside")
        journal.log("INFO", "outside")
        assert len(LOGGER.handlers) == len(before) + 1
    finish.set()
    thread.join(30)
    assert messages(quiet.records) == ["inside", "outside", "last"]
    assert LOGGER.handlers == before


def test_a_server_that_goes_and_comes_back_costs_no_line_and_no_time_stamp(home: Path) -> None:
    with open_embedded(home) as server, open_records(Settings(home=home)) as opened:
        programs = Programs.prepare(choose_installation(installations(), major_of(server.layout.data)), server.layout)
        with connect_records(opened.databases, wait_seconds=0.2) as records:
            context = context_in(home, records)
            journal = journal_of(context)
            with kept_lines(context, QUICK):
                journal.log("INFO", "before")
                assert eventually(lambda: messages(records) == ["before"])
                stop(server.layout, programs)
                stopped = dt.datetime.now(dt.UTC)
                journal.log("WARN", "meanwhile", rows=1)
                assert eventually(lambda: len(waiting(home)) == 1)
                journal.log("WARN", "still away", rows=2)
                (path,) = waiting(home)
                assert eventually(lambda: path.read_bytes().count(b"\n") == 2)
                assert path.stat().st_mode & 0o777 == 0o600
                start(server.layout, programs)
                started = dt.datetime.now(dt.UTC)
                for number in range(200):
                    journal.log("INFO", f"back {number}")
                    if eventually(lambda: waiting(home) == [], 0.2):
                        break
                assert waiting(home) == []
            lines = stored(records)
    said = [line.message for line in lines]
    assert said[:3] == ["before", "meanwhile", "still away"]
    assert said[3:] == [f"back {number}" for number in range(len(said) - 3)]
    assert stopped <= lines[1].created_at <= lines[2].created_at <= started <= lines[3].created_at
    assert (lines[2].level, lines[2].extra) == ("WARN", {"rows": 2})


def test_a_process_of_the_server_that_stands_still_holds_up_nothing(quiet: SyncContext, databases: Databases) -> None:
    """The batch is in the file as well when the server wakes up and stores it after all: it is stored once."""
    with connect_records(databases, max_connections=1) as records:
        context = dataclasses.replace(quiet, records=records)
        with records.transaction(Scope.system("test")) as connection:
            row = connection.execute("SELECT pg_backend_pid() AS pid").fetchone()
        assert row is not None
        os.kill(row["pid"], signal.SIGSTOP)
        try:
            with kept_lines(context, QUICK):
                for number in range(500):
                    journal_of(context).log("INFO", f"line {number}")
            (path,) = waiting(context.settings.home)
            assert path.read_bytes().count(b"\n") == 500
        finally:
            os.kill(row["pid"], signal.SIGCONT)
        assert load_pending(context.settings.home, quiet.records).lines >= 400
        assert eventually(lambda: len(messages(records)) == 500)
    assert messages(quiet.records) == [f"line {number}" for number in range(500)]


def test_a_locked_table_of_lines_holds_up_no_sync(context: SyncContext) -> None:
    with locked(context.records.databases):
        results = list(sync_partitions(context, CRSP, ["2023", "2024"]))
        assert [type(result) for result in results] == [SyncOutcome, SyncOutcome]
        assert messages(context.records) == []
        said = b"".join(path.read_bytes() for path in waiting(context.settings.home))
        assert said.count(b": published version ") == 2
    load_pending(context.settings.home, context.records)
    published = [message for message in messages(context.records) if ": published version " in message]
    assert [message[:26] for message in published] == ["2023: published version 1 ", "2024: published version 2 "]


def test_lines_that_find_the_queue_full_go_to_the_file(quiet: SyncContext, databases: Databases) -> None:
    journal = journal_of(quiet)
    with kept_lines(quiet, Limits(batch_lines=1, waiting_lines=5, answer_seconds=60)):
        with locked(databases):
            journal.log("INFO", "first")
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            with psycopg.connect(databases.owner_url, autocommit=True) as connection:
                assert eventually(lambda: connection.execute(waits).fetchone() == (1,))
            for number in range(20):
                journal.log("INFO", f"line {number}")
            (path,) = waiting(quiet.settings.home)
            assert path.read_bytes().count(b"\n") == 15
        assert eventually(lambda: len(messages(quiet.records)) == 21)
    assert messages(quiet.records) == ["first", *(f"line {number}" for number in range(20))]
    assert waiting(quiet.settings.home) == []


@pytest.mark.parametrize("opening", [open_session, open_platform])
def test_the_next_command_and_the_next_run_store_what_waits(
    postgres_home: Path, opening: Callable[[Settings], AbstractContextManager[Session | Platform]]
) -> None:
    run = uuid.uuid4()
    left(postgres_home, [line(1, sync_run_id=run)])
    with opening(Settings(home=postgres_home)) as opened:
        assert [each.message for each in stored(opened.records) if each.sync_run_id == run] == ["line 1"]
    assert waiting(postgres_home) == []


_LOG = """
import logging
from data_platform.catalog import find_table
from data_platform.settings import Settings
from data_platform.sync import SyncContext
from data_platform.sync.journal import Journal
from data_platform.sync.lines import kept_lines
from data_platform.warehouse import Warehouse
opened = connect_records(databases)
records = opened.__enter__()
context = SyncContext(Settings(home=home), Warehouse(home), records)
journal = Journal(records, find_table("crsp_daily"), context.run_id)
kept = kept_lines(context)
kept.__enter__()
for number in range(250):
    journal.log("INFO", f"line {number}")
"""

_INTERRUPTED = (
    _LOG.replace("kept.__enter__()\n", "").replace("for number", "with kept:\n  for number")
    + "\n  print('ready', flush=True)\n  import time; time.sleep(60)\n"
)


@pytest.mark.parametrize("ending", ["", "raise RuntimeError", "del kept, journal, context"])
def test_a_process_that_ends_stores_its_lines_first(
    quiet: SyncContext, databases: Databases, tmp_path: Path, ending: str
) -> None:
    child = begin(f"{_LOG}\n{ending}\n", tmp_path, databases)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == (ending == "raise RuntimeError"), errors
    assert messages(quiet.records) == [f"line {number}" for number in range(250)]
    assert waiting(tmp_path) == []


@pytest.mark.parametrize("away", [False, True])
def test_an_interrupted_process_loses_no_line(
    quiet: SyncContext, databases: Databases, tmp_path: Path, away: bool
) -> None:
    elsewhere = f"postgresql://nobody@/x?host={tmp_path}"
    given = dataclasses.replace(databases, owner_url=elsewhere, service_url=elsewhere) if away else databases
    child = begin(_INTERRUPTED, tmp_path, given)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGINT, errors
    assert len(waiting(tmp_path)) == away
    assert load_pending(tmp_path, quiet.records).lines == (250 if away else 0)
    assert messages(quiet.records) == [f"line {number}" for number in range(250)]


def test_what_was_stored_survives_a_kill(quiet: SyncContext, databases: Databases, tmp_path: Path) -> None:
    child = begin(f"{_LOG}\nsys.stdin.readline()\n", tmp_path, databases)
    assert eventually(lambda: len(messages(quiet.records)) == 250, 30)
    child.kill()
    child.communicate(timeout=60)
    assert len(messages(quiet.records)) == 250


def test_no_value_of_a_row_and_no_secret_is_in_a_line(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute("DELETE FROM crsp.dsf_v2 WHERE dlycaldt = '2024-03-01'")
    list(sync_partitions(context, CRSP, ["2023", "2024"]))
    said = "\n".join(str(line) for line in stored(context.records))
    assert "2023: published version 1" in said
    assert "date_continuity" in said
    frame = context.warehouse.reader(CRSP.name).pin().scan()
    values = frame.select(pl.col("cusip").unique()).collect().get_column("cusip").drop_nulls().to_list()
    assert len(values) >= 10
    assert [value for value in values if value in said] == []
    demo = context.records.databases.demo
    assert demo is not None
    assert demo.reader_password not in said
