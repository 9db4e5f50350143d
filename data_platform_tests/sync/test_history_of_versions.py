"""What a partition is judged by: the versions that are there, as they are there, whatever else the records remember."""

from __future__ import annotations

import dataclasses

import psycopg

from data_platform.catalog import find_table
from data_platform.quality import Status
from data_platform.records import alerts, coverage, partition_statistics
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext, SyncOutcome, sync_partition, sync_partitions
from data_platform.sync.history import history_of
from data_platform.sync.remembering import refresh_coverage
from data_platform.warehouse import SyncManifest, Warehouse
from data_platform.warehouse.rollback import roll_back

CRSP = find_table("crsp_daily")
SYSTEM = Scope.system("test")
OLDEST_GONE = "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND permno = (SELECT min(permno) FROM crsp.dsf_v2)"


def published(context: SyncContext, partition: str = "2023") -> SyncOutcome:
    outcome = sync_partition(context, CRSP, partition, full=True)
    assert isinstance(outcome, SyncOutcome)
    return outcome


def rolled_back(context: SyncContext, to: int) -> SyncManifest:
    with context.warehouse.lock(CRSP.name).acquire() as lock:
        manifest = roll_back(context.warehouse.store, lock, CRSP.name, to)
    refresh_coverage(context, CRSP, manifest.changed_partitions)
    return manifest


def test_after_a_rollback_the_version_before_is_the_state_that_is_back(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    first = published(context)
    wrds_owner.execute(OLDEST_GONE)
    second = published(context)
    assert second.file.rows < first.file.rows
    back = rolled_back(context, 1)
    previous = history_of(context.records, CRSP, "2023", first.file.source, back).previous
    assert previous is not None
    assert previous.rows == first.file.rows
    with context.records.transaction(SYSTEM) as connection:
        (covered,) = coverage.of_tables(connection, "crsp", "crsp_daily")
    assert (covered.manifest_version, covered.row_count) == (3, first.file.rows)


def test_after_a_rollback_nothing_is_covered_that_is_not_there_any_more(context: SyncContext) -> None:
    published(context, "2023")
    published(context, "2024")
    rolled_back(context, 1)
    with context.records.transaction(SYSTEM) as connection:
        assert [each.partition for each in coverage.of_tables(connection, "crsp", "crsp_daily")] == ["2023"]


def test_figures_that_were_not_kept_are_caught_up_with(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    published(context)
    wrds_owner.execute(OLDEST_GONE)
    second = published(context)
    with psycopg.connect(context.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.data_partition_statistics NO FORCE ROW LEVEL SECURITY")
        owner.execute("DELETE FROM platform.data_partition_statistics WHERE manifest_version = 2")
        owner.execute("ALTER TABLE platform.data_partition_statistics FORCE ROW LEVEL SECURITY")
    refresh_coverage(context, CRSP)
    with context.records.transaction(SYSTEM) as connection:
        found = partition_statistics.of_versions(connection, "crsp_daily", "2023", second.file.source, 9)
    assert [each.manifest_version for each in found] == [1, 2]
    assert found[-1].row_count == second.file.rows


def test_a_home_that_begins_anew_is_not_judged_by_what_another_one_had(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    published(context)
    wrds_owner.execute(
        "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND permno IN "
        "(SELECT DISTINCT permno FROM crsp.dsf_v2 ORDER BY permno LIMIT 12)"
    )
    anew = dataclasses.replace(context, warehouse=Warehouse(context.warehouse.root / "other"))
    assert {check.status for check in published(anew).results} == {Status.PASSED}


def test_what_the_records_refuse_to_keep_leaves_the_version_published(context: SyncContext) -> None:
    with psycopg.connect(context.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.data_partition_statistics ADD CHECK (row_count < 0)")
    assert published(context).manifest.manifest_version == 1


def test_columns_that_are_missing_together_are_an_alert_each(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    published(context)
    wrds_owner.execute(
        "UPDATE crsp.dsf_v2 SET dlybid = NULL, dlyask = NULL WHERE dlycaldt BETWEEN '2023-05-01' AND '2023-06-30'"
    )
    list(sync_partitions(context, CRSP, ["2023"]))
    with context.records.transaction(SYSTEM) as connection:
        spikes = [each for each in alerts.recent(connection) if each.metric == "null_spike"]
    assert sorted(each.message.split()[0] for each in spikes) == ["ask", "bid"]
    list(sync_partitions(context, CRSP, ["2023"]))
    with context.records.transaction(SYSTEM) as connection:
        assert len([each for each in alerts.recent(connection) if each.metric == "null_spike"]) == 2
