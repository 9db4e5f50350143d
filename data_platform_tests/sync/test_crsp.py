"""Syncing yearly partitions from a WRDS-speaking server: what is published, refused, quarantined."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest

from data_platform.catalog import find_table
from data_platform.errors import LockBusyError, SchemaError, SourceError, SyncValidationError, UsageError
from data_platform.records import sync_logs, validations
from data_platform.records.connection import Records
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.scope import Scope
from data_platform.sync import (
    NotDelivered,
    SyncContext,
    SyncFailure,
    SyncOutcome,
    SyncStatus,
    partitions_of,
    sync_partition,
    sync_partitions,
)
from data_platform.sync.decisions import is_not_delivered, refuse_mixture
from data_platform.sync.pace import Pace
from data_platform.sync.plan import choose_partitions
from data_platform.warehouse import FileEntry, SyncManifest
from data_platform.warehouse.manifest import files_checksum
from data_platform.warehouse.verify import verify_table
from data_platform_tests.demo_fixtures import with_account

CRSP = find_table("crsp_daily")


def _latest(context: SyncContext) -> int:
    return context.warehouse.manifests(CRSP.name).latest_number()


def test_what_is_published_is_what_the_source_holds(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    outcome = sync_partition(context, CRSP, "2023")
    assert outcome.status is SyncStatus.PUBLISHED
    stored = context.warehouse.reader(CRSP.name).pin().scan().collect()
    row = wrds_owner.execute(
        "SELECT count(*), count(DISTINCT permno), sum(dlyprc), sum(dlyret), count(dlyret), sum(shrout), min(dlycaldt), "
        "max(dlycaldt) FROM crsp.dsf_v2 WHERE dlycaldt >= '2023-01-01' AND dlycaldt < '2024-01-01'"
    ).fetchone()
    assert row is not None
    count, permnos, prices, returns, known_returns, shares, first, last = row
    assert (stored.height, stored.get_column("permno").n_unique()) == (count, permnos)
    assert stored.get_column("prc").sum() == pytest.approx(float(prices), rel=1e-12)
    assert stored.get_column("ret").sum() == pytest.approx(float(returns), rel=1e-9)
    assert stored.get_column("ret").count() == known_returns < count
    assert stored.get_column("shrout").sum() == int(shares)
    assert (stored.get_column("date").min(), stored.get_column("date").max()) == (first, last)
    assert stored.schema == pl.DataFrame(CRSP.arrow_schema.empty_table()).schema
    assert stored.select("permno", "date").equals(stored.select("permno", "date").sort("permno", "date"))


def test_an_unchanged_partition_publishes_nothing(context: SyncContext) -> None:
    first = sync_partition(context, CRSP, "2024")
    again = sync_partition(context, CRSP, "2024")
    full = sync_partition(context, CRSP, "2024", full=True)
    assert (again.status, full.status) == (SyncStatus.UP_TO_DATE, SyncStatus.UP_TO_DATE)
    assert again.extract_seconds == 0 < full.extract_seconds
    assert again.results == full.results == first.results
    assert {result.status.value for result in again.results} == {"passed"}
    assert _latest(context) == 1
    assert again.manifest == first.manifest


def test_equal_bytes_of_another_state_of_the_source_are_extracted_once_more_and_no_more(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    first = sync_partition(context, CRSP, "2024")
    # The same numbers in more digits: another state of the source, the same stored values.
    wrds_owner.execute("ALTER TABLE crsp.dsf_v2 ALTER dlyprc TYPE numeric(20, 8)")
    second, third = (sync_partition(context, CRSP, "2024") for _ in range(2))
    assert isinstance(first, SyncOutcome)
    assert isinstance(second, SyncOutcome)
    assert isinstance(third, SyncOutcome)
    assert second.file.sha256 == first.file.sha256
    assert second.file.source_fingerprint != first.file.source_fingerprint
    assert [one.status for one in (second, third)] == [SyncStatus.PUBLISHED, SyncStatus.UP_TO_DATE]
    assert third.extract_seconds == 0 < second.extract_seconds
    assert second.manifest.checksum == first.manifest.checksum


def test_one_changed_value_in_an_old_year_is_noticed(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    for year in ("2023", "2024"):
        sync_partition(context, CRSP, year)
    wrds_owner.execute(
        "UPDATE crsp.dsf_v2 SET dlyret = dlyret + 0.000001 WHERE ctid = (SELECT ctid FROM crsp.dsf_v2 "
        "WHERE dlycaldt = '2023-06-01' AND dlyret IS NOT NULL LIMIT 1)"
    )
    results = list(sync_partitions(context, CRSP, ["2023", "2024"]))
    assert [r.status for r in results if isinstance(r, SyncOutcome)] == [SyncStatus.PUBLISHED, SyncStatus.UP_TO_DATE]
    manifests = list(context.warehouse.manifests(CRSP.name))
    assert manifests[-1].changed_partitions == ("2023",)
    assert manifests[0].files[0].sha256 != manifests[-1].files[0].sha256


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        ("DELETE FROM crsp.dsf_v2 WHERE dlycaldt >= '2023-07-01' AND dlycaldt < '2024-01-01'", "date_continuity"),
        ("DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND permno % 2 = 0", "row_count"),
        (
            "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND (permno + dlycaldt - '2000-01-01') % 2 = 0",
            "row_count",
        ),
        ("DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01'", "row_count"),
        ("UPDATE crsp.dsf_v2 SET dlyret = NULL WHERE dlycaldt < '2024-01-01' AND permno % 2 = 0", "null_pct"),
        ("INSERT INTO crsp.dsf_v2 SELECT * FROM crsp.dsf_v2 WHERE dlycaldt = '2023-06-01' LIMIT 3", "contract"),
        ("UPDATE crsp.dsf_v2 SET dlycaldt = '2023-07-04' WHERE dlycaldt = '2023-07-05'", "date_continuity"),
    ],
)
def test_a_spoilt_year_is_quarantined_and_the_last_good_version_stays(
    context: SyncContext, wrds_owner: psycopg.Connection, spoil: str, check: str
) -> None:
    good = sync_partition(context, CRSP, "2023")
    wrds_owner.execute(spoil)  # type: ignore[arg-type]
    with pytest.raises(SyncValidationError, match="crsp_daily 2023 failed validation and was quarantined") as caught:
        sync_partition(context, CRSP, "2023")
    assert caught.value.exit_code == 6
    assert check in caught.value.message
    assert context.warehouse.reader(CRSP.name).pin().manifest == good.manifest
    assert context.warehouse.reader(CRSP.name).pin().scan().collect().height == good.file.rows
    (entry,) = context.warehouse.quarantine.entries()
    assert (entry.table, entry.partition, entry.files) == ("crsp_daily", "2023", ("2023.parquet",))
    kept = context.warehouse.quarantine.folder(entry) / "2023.parquet"
    assert pq.ParquetFile(kept).metadata.num_rows == entry.row_count
    assert list(context.warehouse.staging_root.iterdir()) == []
    assert context.warehouse.locks() == []


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND random() < 0.5",
        "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2023-07-01'",
    ],
)
def test_half_a_year_is_refused_even_without_any_history(
    context: SyncContext, wrds_owner: psycopg.Connection, spoil: str
) -> None:
    wrds_owner.execute(spoil)  # type: ignore[arg-type]
    with pytest.raises(SyncValidationError):
        sync_partition(context, CRSP, "2023")
    assert _latest(context) == 0


def test_half_the_securities_are_missed_against_the_year_before(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    sync_partition(context, CRSP, "2023")
    wrds_owner.execute("DELETE FROM crsp.dsf_v2 WHERE dlycaldt >= '2024-01-01' AND permno % 2 = 0")
    with pytest.raises(SyncValidationError, match="rows per session"):
        sync_partition(context, CRSP, "2024")


def test_a_renamed_column_is_a_schema_error_with_a_record(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    good = sync_partition(context, CRSP, "2023")
    wrds_owner.execute("ALTER TABLE crsp.dsf_v2 RENAME COLUMN dlyret TO dlyreturn")
    with pytest.raises(SchemaError, match="dlyret"):
        sync_partition(context, CRSP, "2023", full=True)
    assert context.warehouse.reader(CRSP.name).pin().manifest == good.manifest
    with context.records.transaction(Scope.system("test")) as connection:
        (failed,) = [row for row in validations.recent(connection) if row.status == "failed"]
    assert (failed.validation_type, failed.partition) == ("schema", "2023")
    assert [entry.files for entry in context.warehouse.quarantine.entries()] == [()]


@pytest.mark.parametrize(
    ("partition", "rows", "published", "expected"),
    [
        ("2026", 0, False, True),
        ("2025", 0, False, True),
        ("2024", 0, False, False),
        ("2026", 0, True, False),
        ("2026", 1, False, False),
        ("2026", None, False, False),
    ],
)
def test_a_recent_year_without_rows_is_not_delivered_yet(
    partition: str, rows: int | None, published: bool, expected: bool
) -> None:
    base = _manifest({partition: "wrds"}) if published else None
    assert is_not_delivered(CRSP, partition, rows, base, dt.date(2026, 11, 20)) is expected


def test_a_year_that_is_not_delivered_yet_is_no_error_and_leaves_no_trace(context: SyncContext) -> None:
    this_year = str(dt.datetime.now(dt.UTC).year)
    results = list(sync_partitions(context, CRSP, ["2024", this_year]))
    assert [type(result) for result in results] == [SyncOutcome, NotDelivered]
    assert context.warehouse.quarantine.entries() == []
    assert _latest(context) == 1


def test_bytes_received_are_each_partitions_own(context: SyncContext) -> None:
    results = list(sync_partitions(context, CRSP, ["2023", "2024"]))
    sizes = [result.bytes_received for result in results if isinstance(result, SyncOutcome)]
    assert 0.5 < sizes[0] / sizes[1] < 2


def test_the_records_going_away_never_hides_what_went_wrong(context: SyncContext, records: Records) -> None:
    missing = context.settings.model_copy(update={"ken_french_url": "http://127.0.0.1:9/"})
    closed = Records(records.databases)  # never opened: every transaction fails
    factors = find_table("ff_factors_daily")
    with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        sync_partition(dataclasses.replace(context, settings=missing, records=closed), factors, "all")


def test_one_bad_partition_does_not_hold_up_the_others(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute("DELETE FROM crsp.dsf_v2 WHERE dlycaldt = '2023-03-01'")
    results = list(sync_partitions(context, CRSP, ["2023", "2024"]))
    assert [type(result) for result in results] == [SyncFailure, SyncOutcome]
    assert [e.partition for e in context.warehouse.reader(CRSP.name).pin().manifest.files] == ["2024"]


def test_what_a_killed_writer_left_goes_also_when_nothing_has_changed(context: SyncContext) -> None:
    sync_partition(context, CRSP, "2023")
    left, others = (context.warehouse.staging_root / name for name in ("crsp_daily@killed", "crsp_monthly@killed"))
    for folder in (left, others):
        folder.mkdir()
        (folder / "2023.parquet").write_bytes(b"half")
    sync_partition(context, CRSP, "2023")
    assert (left.exists(), others.exists(), _latest(context)) == (False, True, 1)


def test_a_server_that_goes_away_in_the_middle_publishes_nothing(
    context: SyncContext, wrds_owner: psycopg.Connection, postgres: EmbeddedServer
) -> None:
    sync_partition(context, CRSP, "2023")
    demo = context.records.databases.demo
    assert demo is not None

    def kill(_pace: Pace) -> None:
        with psycopg.connect(postgres.url(SUPERUSER, "postgres")) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
                (demo.dbname, demo.reader),
            )

    # Enough rows that most are still to come when the first block has arrived.
    wrds_owner.execute("INSERT INTO crsp.dsf_v2 SELECT d.* FROM crsp.dsf_v2 d CROSS JOIN generate_series(1, 40)")
    with pytest.raises(SourceError, match="crsp_daily 2024"):
        sync_partition(dataclasses.replace(context, progress=kill), CRSP, "2024")
    assert _latest(context) == 1
    assert context.warehouse.locks() == []
    assert list(context.warehouse.staging_root.iterdir()) == []


def test_a_table_locked_by_another_writer_is_refused(context: SyncContext) -> None:
    with context.warehouse.lock(CRSP.name).acquire(), pytest.raises(LockBusyError, match="is locked by process"):
        sync_partition(context, CRSP, "2023")


def test_the_records_tell_what_happened(context: SyncContext) -> None:
    sync_partition(context, CRSP, "2023")
    sync_partition(context, CRSP, "2023")
    with context.records.transaction(Scope("someone", frozenset({"crsp"}))) as connection:
        lines = [line.message for line in reversed(sync_logs.recent(connection, dataset="crsp"))]
        results = validations.recent(connection, dataset="crsp")
    assert lines[0].startswith("crsp_daily 2023: ")
    assert lines[1].startswith("2023: published version 1 with ")
    assert lines[2:] == ["2023: up to date"]
    assert {row.validation_type for row in results} == {
        "row_count",
        "null_pct",
        "schema",
        "date_continuity",
        "contract",
        "checksum",
        "anomaly",
    }
    assert {row.status for row in results} == {"passed"}
    with context.records.transaction(Scope("someone else", frozenset({"fama_french"}))) as connection:
        assert sync_logs.recent(connection) == []


def test_real_rows_never_stand_beside_synthetic_ones(context: SyncContext) -> None:
    sync_partition(context, CRSP, "2023")
    demo = context.records.databases.demo
    assert demo is not None
    real = with_account(context.settings, demo, wrds_sslmode="disable")
    with pytest.raises(UsageError, match="real rows would stand beside or replace the demo's synthetic ones"):
        sync_partition(dataclasses.replace(context, settings=real), CRSP, "2024")
    # A version that holds nothing but the partition being replaced mixes nothing.
    replaced = sync_partition(dataclasses.replace(context, settings=real), CRSP, "2023")
    assert isinstance(replaced, SyncOutcome)
    assert (replaced.status, replaced.file.source) == (SyncStatus.PUBLISHED, "wrds")


@pytest.mark.parametrize(
    ("present", "partition", "source", "refused"),
    [
        ({}, "2024", "demo", False),
        ({"2023": "demo"}, "2024", "demo", False),
        ({"2023": "wrds"}, "2024", "wrds", False),
        ({"2023": "demo"}, "2024", "wrds", True),
        ({"2023": "wrds"}, "2024", "demo", True),
        ({"2024": "demo"}, "2024", "wrds", False),
        ({"2024": "wrds"}, "2024", "demo", True),
        ({"2023": "demo", "2024": "wrds"}, "2024", "wrds", True),
    ],
)
def test_which_sources_may_follow_which(present: dict[str, str], partition: str, source: str, refused: bool) -> None:
    base = _manifest(present) if present else None
    if refused:
        with pytest.raises(UsageError):
            refuse_mixture(CRSP, partition, base, source)
    else:
        refuse_mixture(CRSP, partition, base, source)


def _manifest(sources: dict[str, str]) -> SyncManifest:
    """A manifest with these partitions, each from its source."""
    files = tuple(
        FileEntry(
            partition=year,
            sha256="0" * 64,
            bytes=1,
            rows=1,
            min_date=dt.date(int(year), 1, 2),
            max_date=dt.date(int(year), 1, 2),
            source=source,
            source_fingerprint="f",
        )
        for year, source in sources.items()
    )
    return SyncManifest(
        dataset="crsp",
        table="crsp_daily",
        manifest_version=1,
        sync_timestamp=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        start_date=files[0].min_date,
        end_date=files[-1].max_date,
        row_count=len(files),
        checksum=files_checksum(files),
        previous_checksum=None,
        schema_version="1.0.0",
        wrds_query_hash=None,
        source_fingerprint="f",
        validation_status="passed",
        changed_partitions=tuple(sources),
        files=files,
    )


def test_damaged_bytes_are_mended_by_a_full_sync(context: SyncContext) -> None:
    outcome = sync_partition(context, CRSP, "2023")
    path = context.warehouse.reader(CRSP.name).pin().files[0]
    path.chmod(0o600)
    path.write_bytes(b"x" * path.stat().st_size)
    assert len(verify_table(context.warehouse.store, CRSP.name).problems) == 1
    assert sync_partition(context, CRSP, "2023", full=True).manifest == outcome.manifest
    assert verify_table(context.warehouse.store, CRSP.name).problems == ()


def test_the_demos_years_are_its_partitions(context: SyncContext) -> None:
    today = dt.date(2026, 11, 20)
    assert partitions_of(CRSP, context.settings, today) == ["2023", "2024"]
    real = context.settings.model_copy(update={"wrds_username": "someone", "start_year": 2024})
    assert partitions_of(CRSP, real, today) == ["2024", "2025", "2026"]


@pytest.mark.parametrize(
    ("requested", "all_of_them", "expected"),
    [(["2024"], False, ["2024"]), (["2024", "2023", "2024"], False, ["2023", "2024"]), ([], True, ["2023", "2024"])],
)
def test_choosing_partitions(requested: list[str], all_of_them: bool, expected: list[str]) -> None:
    assert choose_partitions(CRSP, ["2023", "2024"], requested, all_of_them=all_of_them) == expected


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ([], "say which"),
        (["2022"], "has no partition 2022"),
        (["nope"], "'nope' is no partition"),
        (["all"], "'all' is no"),
    ],
)
def test_choosing_nothing_or_the_impossible_is_refused(requested: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_partitions(CRSP, ["2023", "2024"], requested, all_of_them=False)
