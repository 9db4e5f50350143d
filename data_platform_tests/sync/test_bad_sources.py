"""What a source can do to a sync: rows that are not what they were, a server that stands still or goes away."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from data_platform.catalog import Table, find_table
from data_platform.errors import PlatformError, SchemaError, SourceError, SyncValidationError
from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.sync import SyncContext, SyncFailure, SyncOutcome, SyncStatus, sync_partition, sync_partitions
from data_platform.sync.pace import Pace
from data_platform_tests.demo_fixtures import with_account
from data_platform_tests.sources.declarations import wrds_table
from data_platform_tests.sources.forwarding import Forwarder

CRSP, NAMES, LINKS = (find_table(name) for name in ("crsp_daily", "crsp_names", "ccm_links"))
FOR_EVER = dt.date(9999, 12, 31)


def _versions(context: SyncContext, table: str = "crsp_daily") -> int:
    return context.warehouse.manifests(table).latest_number()


def _nothing_left_behind(context: SyncContext) -> bool:
    return context.warehouse.locks() == [] and list(context.warehouse.staging_root.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (
            "ALTER TABLE crsp.dsf_v2 ALTER siccd TYPE text USING 'X' || siccd",
            SchemaError,
            "column siccd holds values that are not int32",
        ),
        (
            "ALTER TABLE crsp.dsf_v2 ALTER dlycaldt TYPE text USING to_char(dlycaldt, 'DD/MM/YYYY')",
            SourceError,
            r"the server refused the query on crsp.dsf_v2 \(SQLSTATE 42883\)",
        ),
        (
            "ALTER TABLE crsp.dsf_v2 ALTER dlyprc TYPE text "
            "USING CASE WHEN permno % 2 = 0 THEN 'n/a' ELSE dlyprc::text END",
            SchemaError,
            "column prc holds values that are not float64",
        ),
        ("ALTER TABLE crsp.dsf_v2 DROP COLUMN dlyret", SchemaError, "crsp.dsf_v2 has no column dlyret"),
        ("DROP TABLE crsp.dsf_v2", SchemaError, "the server has no relation crsp.dsf_v2"),
        ("UPDATE crsp.dsf_v2 SET permco = NULL", SchemaError, "column permco has missing values"),
        ("UPDATE crsp.dsf_v2 SET dlyprc = 'NaN'", SyncValidationError, "prc 100.0%"),
        ("DELETE FROM crsp.dsf_v2 WHERE dlycaldt >= '2024-01-01'", SyncValidationError, "the source has no rows"),
        (
            "REVOKE SELECT ON crsp.dsf_v2 FROM {reader}",
            SourceError,
            "the WRDS account {reader} may not read crsp.dsf_v2",
        ),
    ],
    ids=[
        "another type",
        "dates as text",
        "words for numbers",
        "no column",
        "no relation",
        "nulls",
        "NaN",
        "empty",
        "refused",
    ],
)
def test_what_is_not_as_declared_never_becomes_a_version(
    context: SyncContext,
    wrds_owner: psycopg.Connection,
    wrds: Databases,
    change: str,
    error: type[PlatformError],
    words: str,
) -> None:
    assert wrds.demo is not None
    sync_partition(context, CRSP, "2024")
    before = context.warehouse.reader(CRSP.name).pin().scan().collect()
    wrds_owner.execute(change.format(reader=wrds.demo.reader))

    with pytest.raises(error, match=words.format(reader=wrds.demo.reader)) as caught:
        sync_partition(context, CRSP, "2024")

    assert caught.value.message.startswith("crsp_daily 2024")
    assert "n/a" not in str(caught.value)
    assert _versions(context) == 1
    assert context.warehouse.reader(CRSP.name).pin().scan().collect().equals(before)
    assert _nothing_left_behind(context)
    if not isinstance(caught.value, SourceError):
        (entry,) = context.warehouse.quarantine.entries()
        assert (entry.table, entry.partition) == ("crsp_daily", "2024")


def test_a_wider_type_with_the_same_values_is_no_trouble(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    first = sync_partition(context, CRSP, "2024")
    for column, kind in (
        ("permno", "bigint"),
        ("dlyprc", "double precision"),
        ("ticker", "text"),
        ("shrout", "numeric"),
    ):
        wrds_owner.execute(f"ALTER TABLE crsp.dsf_v2 ALTER {column} TYPE {kind}")
    again = sync_partition(context, CRSP, "2024")

    assert isinstance(first, SyncOutcome)
    assert isinstance(again, SyncOutcome)
    assert again.file.sha256 == first.file.sha256


def test_a_nan_among_numbers_is_a_missing_value(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute("UPDATE crsp.dsf_v2 SET dlyvol = 'NaN', dlyask = 'NaN' WHERE dlycaldt = '2024-07-03'")
    sync_partition(context, CRSP, "2024")
    rows = context.warehouse.reader(CRSP.name).pin().scan().collect()
    day = rows.filter(pl.col("date") == dt.date(2024, 7, 3))

    assert day.height > 0
    assert day.get_column("vol").null_count() == day.get_column("ask").null_count() == day.height
    assert rows.select(pl.col("vol", "ask").is_nan().any()).row(0) == (False, False)


TEXTS = ("tab\there", "two\nlines\r\n", "back\\slash", "\\N", "\\.", "", "quotes \" ' ,", "\\t is no tab", "Ünïcödé 株")


def test_a_text_arrives_byte_for_byte(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    permnos = [
        row[0] for row in wrds_owner.execute("SELECT DISTINCT permno FROM crsp.stksecurityinfohist ORDER BY 1 LIMIT 9")
    ]
    wrds_owner.execute("ALTER TABLE crsp.stksecurityinfohist ALTER issuernm TYPE text")
    for permno, text in zip(permnos, TEXTS, strict=True):
        wrds_owner.execute("UPDATE crsp.stksecurityinfohist SET issuernm = %s WHERE permno = %s", (text, permno))
    sync_partition(context, NAMES, "all")
    rows = context.warehouse.reader(NAMES.name).pin().scan().collect()

    found = {permno: set(rows.filter(pl.col("permno") == permno).get_column("issuernm")) for permno in permnos}
    assert found == {permno: {text} for permno, text in zip(permnos, TEXTS, strict=True)}


def test_the_end_of_time_is_a_date_like_others_where_a_range_ends(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute(
        "UPDATE crsp.stksecurityinfohist SET secinfoenddt = '9999-12-31' WHERE secinfoenddt >= '2024-12-31'"
    )
    wrds_owner.execute("UPDATE crsp.ccmxpf_lnkhist SET linkenddt = '9999-12-31' WHERE linkenddt IS NULL")
    for table, column in ((NAMES, "secinfoenddt"), (LINKS, "linkenddt")):
        sync_partition(context, table, "all")
        assert context.warehouse.reader(table.name).pin().scan().collect().get_column(column).max() == FOR_EVER


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("9999-12-31", "1 dates lie in the future"),
        ("infinity", "column secinfostartdt holds values that are not date"),
        ("0044-03-15 BC", "column secinfostartdt holds values that are not date"),
    ],
)
def test_a_date_that_cannot_be_is_quarantined_where_rows_are_dated_by_it(
    context: SyncContext, wrds_owner: psycopg.Connection, date: str, words: str
) -> None:
    wrds_owner.execute(
        "UPDATE crsp.stksecurityinfohist SET secinfostartdt = %s WHERE (permno, secinfostartdt) = "
        "(SELECT permno, max(secinfostartdt) FROM crsp.stksecurityinfohist GROUP BY 1 ORDER BY 1 LIMIT 1)",
        (date,),
    )
    (result,) = sync_partitions(context, NAMES, ["all"])

    assert isinstance(result, SyncFailure)
    assert words in result.error.message
    assert context.warehouse.manifests(NAMES.name).latest() is None
    assert len(list(context.warehouse.quarantine.entries())) == 1


@pytest.fixture
def standing_still(wrds: Databases, postgres: EmbeddedServer) -> Iterator[Callable[[float], threading.Thread]]:
    """Stops our server process for so many seconds, from another thread."""
    assert wrds.demo is not None
    dbname = wrds.demo.dbname
    threads: list[threading.Thread] = []

    def stop(pid: int, seconds: float) -> None:
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def begin(seconds: float) -> threading.Thread:
        with psycopg.connect(postgres.url(SUPERUSER, "postgres")) as connection:
            (pid,) = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'data-platform' AND datname = %s", (dbname,)
            ).fetchone() or (0,)
        assert pid
        threads.append(threading.Thread(target=stop, args=(pid, seconds)))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join()


def test_a_server_that_stands_still_is_waited_for(
    context: SyncContext,
    standing_still: Callable[[float], threading.Thread],
    tmp_path: Path,
    wrds_owner: psycopg.Connection,
    wrds: Databases,
    *,
    torture: bool,
) -> None:
    """Two minutes at length, three seconds otherwise: nothing gives up before the server's own time limit."""
    seconds = 120.0 if torture else 3.0
    table = _million_rows(wrds_owner, wrds, tmp_path, rows=400_000)
    stalls: list[float] = []

    def stall(pace: Pace) -> None:
        if not stalls:
            stalls.append(pace.now)
            standing_still(seconds)

    results = list(sync_partitions(dataclasses.replace(context, progress=stall), table, ["all"]))

    assert [type(result) for result in results] == [SyncOutcome]
    assert isinstance(results[0], SyncOutcome)
    assert (results[0].status, results[0].file.rows) == (SyncStatus.PUBLISHED, 400_000)
    assert results[0].extract_seconds > seconds


def _million_rows(owner: psycopg.Connection, wrds: Databases, folder: Path, rows: int) -> Table:
    assert wrds.demo is not None
    owner.execute("CREATE SCHEMA lab")
    owner.execute(
        "CREATE TABLE lab.facts AS SELECT n AS id, date '2024-01-02' AS day, n / 7.0 AS amount "
        f"FROM generate_series(1, {rows}) n"
    )
    owner.execute(f"GRANT USAGE ON SCHEMA lab TO {wrds.demo.reader}")
    owner.execute(f"GRANT SELECT ON lab.facts TO {wrds.demo.reader}")
    table = wrds_table(
        folder, {"id": "int32", "day": "date", "amount": "float64"}, "SELECT id, day, amount FROM lab.facts"
    )
    return dataclasses.replace(table, calendar=None)


def test_a_server_that_hangs_up_after_a_million_rows_has_given_none(
    context: SyncContext, wrds_owner: psycopg.Connection, wrds: Databases, tmp_path: Path
) -> None:
    table = _million_rows(wrds_owner, wrds, tmp_path, rows=1_500_000)
    demo = wrds.demo
    assert demo is not None
    with Forwarder(demo.socket_folder / f".s.PGSQL.{demo.port}", demo.port) as wire:
        # A row of these has about 45 bytes on the wire.
        wire.cuts, wire.cut_after = 99, 54_000_000
        named = with_account(context.settings, demo, wrds_host=str(wire.folder))
        over_the_wire = dataclasses.replace(context, settings=named, retry_seconds=0.05)
        with pytest.raises(SourceError, match=r"closed the connection after 1,\d{3},\d{3} rows"):
            list(sync_partitions(over_the_wire, table, ["all"]))
        assert _versions(context, table.name) == 0
        assert _nothing_left_behind(context)
        wire.cuts = 0
        (result,) = sync_partitions(over_the_wire, table, ["all"])

    assert isinstance(result, SyncOutcome)
    assert result.file.rows == 1_500_000
