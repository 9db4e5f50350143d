"""The copy while something goes wrong: the server dies, the caller walks away, the clock runs."""

from __future__ import annotations

import dataclasses
import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from data_platform.catalog import Table
from data_platform.errors import DiskSpaceError, SchemaError, SourceError
from data_platform.sources.wrds import copying
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.source import open_wrds
from data_platform.sync.extracting import extract_to_file
from data_platform_tests.sources.declarations import wrds_table
from data_platform_tests.sources.forwarding import Forwarder

BLOCK = 16_384
ROWS = 400_000
OURS = "application_name = 'data-platform' AND datname = current_database()"


@pytest.fixture
def many(owner: psycopg.Connection, tmp_path: Path) -> Table:
    """Far more rows than sockets and queues hold, so that the server is still sending when the test acts."""
    owner.execute(
        f"CREATE TABLE lab.facts AS SELECT n, repeat('x', 40) AS words, date '2024-01-01' AS day"
        f" FROM generate_series(1, {ROWS}) AS n"
    )
    return wrds_table(tmp_path, {"n": "int32", "words": "str", "day": "date"}, "SELECT * FROM lab.facts")


@pytest.fixture
def endless(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A stream that ends only when it is stopped: a product of three series, and a key that leaves nothing to sort."""
    sql = (
        "SELECT 1 AS n FROM generate_series(1, 2000) AS a, generate_series(1, 2000) AS b, generate_series(1, 500) AS c"
    )
    return wrds_table(tmp_path_factory.mktemp("endless"), {"n": "int32"}, sql)


def _copy_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wrds-copy"]


def _state(superuser: psycopg.Connection) -> list[tuple[str, str]]:
    return superuser.execute(f"SELECT state, left(query, 4) FROM pg_stat_activity WHERE {OURS}").fetchall()


def test_while_rows_flow_one_session_of_ours_runs_one_copy(
    superuser: psycopg.Connection, address: WrdsAddress, many: Table
) -> None:
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        assert _state(superuser) == [("active", "COPY")]
        assert sum(batch.num_rows for batch in batches) > ROWS - 2 * BLOCK
        assert _state(superuser)[0][0] == "idle"

    assert _copy_threads() == []


def test_a_terminated_session_is_a_source_error_that_says_how_far_it_came(
    superuser: psycopg.Connection, address: WrdsAddress, many: Table, caplog: pytest.LogCaptureFixture
) -> None:
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        assert superuser.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}").fetchall()
        with pytest.raises(
            SourceError, match=r"^lab_facts all: the server closed the connection after [\d,]+ rows"
        ) as caught:
            list(batches)

    assert caplog.records == []
    assert 0 < int(caught.value.message.split(" after ")[1].split(" ")[0].replace(",", "")) < ROWS
    assert _copy_threads() == []


def test_a_cut_line_is_the_same_error(
    address: WrdsAddress, forwarder: Forwarder, many: Table, caplog: pytest.LogCaptureFixture
) -> None:
    with open_wrds("wrds", dataclasses.replace(address, host=str(forwarder.folder)), BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        forwarder.cut()
        with pytest.raises(SourceError, match="the server closed the connection after"):
            list(batches)
        with pytest.raises(SourceError, match="the server closed the connection after 0 rows"):
            source.fingerprint(many, "all")
        with pytest.raises(SourceError, match="the server closed the connection after 0 rows"):
            list(source.extract(many, "all"))

    assert caplog.records == []
    assert _copy_threads() == []


def test_a_statement_cancelled_at_the_server_is_told_apart(
    superuser: psycopg.Connection, address: WrdsAddress, many: Table
) -> None:
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        superuser.execute(f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {OURS}")
        with pytest.raises(SourceError, match="the server stopped the query after"):
            list(batches)
        assert source.fingerprint(many, "all").row_count == ROWS


def test_walking_away_stops_the_statement_and_leaves_the_session_usable(
    superuser: psycopg.Connection, address: WrdsAddress, many: Table, endless: Table
) -> None:
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(endless, "all")
        next(batches)
        started = time.monotonic()
        batches.close()
        assert time.monotonic() - started < 2
        assert _copy_threads() == []
        assert [state for state, _ in _state(superuser)] == ["idle"]
        assert sum(batch.num_rows for batch in source.extract(many, "all")) == ROWS


def test_walking_away_works_when_the_server_is_gone_too(
    address: WrdsAddress, forwarder: Forwarder, many: Table
) -> None:
    with open_wrds("wrds", dataclasses.replace(address, host=str(forwarder.folder)), BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        forwarder.cut()
        batches.close()

    assert _copy_threads() == []


@pytest.mark.parametrize(("deaf", "least"), [(False, 0.0), (True, 0.3)], ids=["refuses", "does not answer"])
def test_walking_away_hangs_up_when_the_server_cannot_be_told(
    address: WrdsAddress,
    forwarder: Forwarder,
    endless: Table,
    monkeypatch: pytest.MonkeyPatch,
    *,
    deaf: bool,
    least: float,
) -> None:
    monkeypatch.setattr(copying, "CANCEL_SECONDS", 0.3)
    with open_wrds("wrds", dataclasses.replace(address, host=str(forwarder.folder)), BLOCK) as source:
        batches = source.extract(endless, "all")
        next(batches)
        # A cancellation comes by a connection of its own.
        forwarder.deaf, forwarder.drop_first = deaf, 0 if deaf else 1000
        started = time.monotonic()
        batches.close()
        assert least <= time.monotonic() - started < 3

    assert _copy_threads() == []


def test_rows_that_do_not_fit_stop_the_copy_too(
    superuser: psycopg.Connection, owner: psycopg.Connection, address: WrdsAddress, many: Table
) -> None:
    owner.execute("ALTER TABLE lab.facts ALTER n TYPE text USING CASE WHEN n > 5000 THEN 'odd' ELSE n::text END")
    with open_wrds("wrds", address, BLOCK) as source:
        with pytest.raises(SchemaError, match="column n holds values that are not int32"):
            list(source.extract(many, "all"))
        assert [state for state, _ in _state(superuser)] == ["idle"]

    assert _copy_threads() == []


def test_a_second_use_during_an_extraction_is_refused_instead_of_hanging(address: WrdsAddress, many: Table) -> None:
    with open_wrds("wrds", address, BLOCK) as source:
        batches = source.extract(many, "all")
        next(batches)
        with pytest.raises(RuntimeError, match="the session is busy"):
            source.fingerprint(many, "all")
        batches.close()


def test_rows_that_cannot_be_kept_stop_the_copy_and_leave_no_file(
    superuser: psycopg.Connection, address: WrdsAddress, endless: Table, tmp_path: Path
) -> None:
    def full(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in batches:
            rows += batch.num_rows
            if rows > BLOCK:
                raise OSError(errno.ENOSPC, "No space left on device")
            yield batch

    with open_wrds("wrds", address, BLOCK) as source:
        with pytest.raises(DiskSpaceError):
            extract_to_file(source, endless, "all", tmp_path / "rows.parquet", full)
        assert [state for state, _ in _state(superuser)] == ["idle"]

    assert _copy_threads() == []
    assert list(tmp_path.iterdir()) == []
