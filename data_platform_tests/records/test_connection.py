"""When the database goes away: one clear error, and the next transaction works again."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from data_platform.errors import DatabaseUnavailableError
from data_platform.records import platform_audit, sync_logs
from data_platform.records.addresses import Login, socket_url
from data_platform.records.connection import Records, Scope, connect_records, open_records
from data_platform.records.databases import Databases
from data_platform.records.embedded.binaries import choose_installation, installations, major_of
from data_platform.records.embedded.credentials import SERVICE, SUPERUSER
from data_platform.records.embedded.layout import PORT
from data_platform.records.embedded.programs import Programs
from data_platform.records.embedded.server import start, stop
from data_platform.records.embedded.service import EmbeddedServer, open_embedded
from data_platform.records.reaching import is_away, why_unreachable
from data_platform.settings import Settings
from data_platform_tests.records.processes import eventually

SYSTEM = Scope.system("test")


def test_an_own_home_is_made_migrated_and_used(home: Path) -> None:
    settings = Settings(home=home)
    for _ in range(2):
        with open_records(settings) as records, records.transaction(SYSTEM) as connection:
            row = connection.execute("SELECT current_user AS me, count(*) AS n FROM platform.data_sync_logs").fetchone()
        assert row == {"me": SERVICE, "n": 0}
    assert (home / "postgres" / "credentials.json").exists()


def test_opening_a_running_server_takes_a_moment(postgres_home: Path) -> None:
    begun = time.perf_counter()
    with open_records(Settings(home=postgres_home)) as records, records.transaction(SYSTEM) as connection:
        connection.execute("SELECT 1")
    with open_records(Settings(home=postgres_home)):
        opened = time.perf_counter() - begun
    assert opened < 5


def test_a_transaction_is_committed_or_undone_whole(records: Records) -> None:
    insert = "INSERT INTO platform.data_sync_logs (dataset, level, message) VALUES ('crsp', 'INFO', 'x')"
    with records.transaction(SYSTEM) as connection:
        connection.execute(insert)
    with pytest.raises(ZeroDivisionError), records.transaction(SYSTEM) as connection:
        connection.execute(insert)
        raise ZeroDivisionError
    with records.transaction(SYSTEM) as connection:
        assert connection.execute("SELECT count(*) AS n FROM platform.data_sync_logs").fetchone() == {"n": 1}


def test_sessions_are_named_and_limited(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        row = connection.execute(
            "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout, "
            "current_setting('search_path') AS path"
        ).fetchone()
    assert row == {"name": "data-platform", "timeout": "30s", "path": "platform"}


def test_a_session_ended_by_the_server_is_one_clear_error_and_is_replaced(
    records: Records, postgres: EmbeddedServer
) -> None:
    with (
        pytest.raises(DatabaseUnavailableError, match="operational database can't be used"),
        records.transaction(SYSTEM) as connection,
    ):
        with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        connection.execute("SELECT 1")
    with records.transaction(SYSTEM) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_a_session_that_died_while_idle_is_not_noticed(records: Records, postgres: EmbeddedServer) -> None:
    with records.transaction(SYSTEM) as connection:
        pid = connection.info.backend_pid
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with records.transaction(SYSTEM) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_the_pool_outlives_a_restart_of_the_server(home: Path) -> None:
    """Threads that work on while the server goes and comes back: each gets an answer or one clear error, none hangs."""
    answers: list[str] = []
    stopping = threading.Event()

    def work() -> None:
        while not stopping.is_set():
            try:
                with records.transaction(SYSTEM) as connection:
                    sync_logs.append(connection, "crsp", None, "INFO", "x")
                answers.append("stored")
            except DatabaseUnavailableError:
                answers.append("away")
                time.sleep(0.02)

    def more(answer: str, count: int) -> bool:
        before = answers.count(answer)
        return eventually(lambda: answers.count(answer) > before + count, 30)

    with open_embedded(home) as server, open_records(Settings(home=home)) as opened:
        programs = Programs.prepare(choose_installation(installations(), major_of(server.layout.data)), server.layout)
        with connect_records(opened.databases, wait_seconds=0.2) as records:
            threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            try:
                assert more("stored", 50)
                for _ in range(2):
                    stop(server.layout, programs)
                    assert more("away", 4)
                    assert "can't be used" in (why_unreachable(opened.databases.dagster_url) or "")
                    start(server.layout, programs)
                    assert why_unreachable(opened.databases.dagster_url) is None
                    assert more("stored", 50)
            finally:
                stopping.set()
                for thread in threads:
                    thread.join(30)
            with records.transaction(SYSTEM) as connection:
                row = connection.execute("SELECT count(*) AS n FROM platform.data_sync_logs").fetchone()
    assert set(answers) == {"stored", "away"}
    # What was acknowledged is there; an answer that the restart cut off may be there or not.
    assert row is not None
    assert answers.count("stored") <= row["n"] <= len(answers)


def test_what_begins_while_the_server_restarts_waits_for_it(home: Path) -> None:
    with open_embedded(home) as server, open_records(Settings(home=home)) as records:
        with records.transaction(SYSTEM) as connection:
            sync_logs.append(connection, "crsp", None, "INFO", "before")
        programs = Programs.prepare(choose_installation(installations(), major_of(server.layout.data)), server.layout)
        stop(server.layout, programs)
        back = threading.Timer(1, start, (server.layout, programs))
        back.start()
        with records.transaction(SYSTEM) as connection:
            sync_logs.append(connection, "crsp", None, "INFO", "after")
            assert [line.message for line in sync_logs.recent(connection)] == ["after", "before"]
        back.join()


def test_waiting_for_anothers_lock_ends_by_the_statement_timeout(records: Records) -> None:
    with records.transaction(SYSTEM) as first:
        platform_audit.append(first, "ann", "x")
        with pytest.raises(DatabaseUnavailableError, match="statement timeout"), records.transaction(SYSTEM) as second:
            second.execute("SET LOCAL statement_timeout = '100ms'")
            platform_audit.append(second, "ben", "x")
    with records.transaction(SYSTEM) as connection:
        assert [entry.actor for entry in platform_audit.recent(connection)] == ["ann"]


def test_a_statement_that_takes_too_long_is_stopped(records: Records) -> None:
    with pytest.raises(DatabaseUnavailableError, match="statement timeout"), records.transaction(SYSTEM) as connection:
        connection.execute("SET LOCAL statement_timeout = '50ms'")
        connection.execute("SELECT pg_sleep(5)")


@pytest.fixture
def wrong_password(databases: Databases, postgres: EmbeddedServer) -> Iterator[Records]:
    dbname = str(psycopg.conninfo.conninfo_to_dict(databases.service_url)["dbname"])
    url = socket_url(postgres.layout.run, PORT, dbname, Login(SERVICE, "wr0ng-one"))
    with connect_records(dataclasses.replace(databases, service_url=url), wait_seconds=0.3) as records:
        yield records


def test_a_wrong_password_is_named_without_being_shown(
    wrong_password: Records, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with (
        pytest.raises(DatabaseUnavailableError, match="password authentication failed") as caught,
        wrong_password.transaction(SYSTEM),
    ):
        pass
    captured = capfd.readouterr()
    assert "wr0ng-one" not in str(caught.value) + caplog.text + captured.err + captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("the connection is lost"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.ConnectionFailure(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.QueryCanceled(), True),
        (psycopg.errors.SerializationFailure(), False),
        (psycopg.errors.DeadlockDetected(), False),
        (psycopg.errors.LockNotAvailable(), False),
    ],
)
def test_which_errors_mean_that_the_database_is_away(error: psycopg.OperationalError, expected: bool) -> None:
    assert is_away(error) is expected
