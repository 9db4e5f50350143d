"""From a synced partition to a person who acts: figures and coverage kept, alerts raised once, sent, and accepted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time

import psycopg
import pytest
from pydantic import SecretStr

from data_platform.catalog import find_table
from data_platform.errors import SyncValidationError
from data_platform.quality import Status, ValidationType
from data_platform.records import (
    acknowledgments,
    alert_deliveries,
    alert_rules,
    alerts,
    coverage,
    partition_statistics,
    validations,
)
from data_platform.records.alerts import StoredAlert
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext, SyncFailure, SyncOutcome, sync_partition, sync_partitions
from data_platform.sync.remembering import refresh_coverage
from data_platform.sync.restoring import restore_quarantined
from data_platform_tests.alerting.servers import hook

CRSP = find_table("crsp_daily")
NAMES = find_table("crsp_names")
SYSTEM = Scope.system("test")
HUNDREDFOLD = (
    "UPDATE crsp.dsf_v2 SET dlyprc = dlyprc * 100, dlyclose = dlyclose * 100, dlylow = dlylow * 100, "
    "dlyhigh = dlyhigh * 100, dlyopen = dlyopen * 100, dlybid = dlybid * 100, dlyask = dlyask * 100, "
    "dlycap = dlycap * 100 WHERE dlycaldt = '2023-07-05' AND permno IN "
    "(SELECT permno FROM crsp.dsf_v2 WHERE dlycaldt = '2023-07-05' AND dlyprcflg = 'TR' ORDER BY permno LIMIT 3)"
)


def published(context: SyncContext) -> str:
    """Publish 2023 of crsp_daily, and return the name of its source."""
    outcome = sync_partition(context, CRSP, "2023")
    assert isinstance(outcome, SyncOutcome)
    return outcome.file.source


def open_alerts(context: SyncContext) -> list[StoredAlert]:
    with context.records.transaction(SYSTEM) as connection:
        return alerts.recent(connection, acknowledged=False)


def test_what_a_version_looks_like_and_covers_is_kept(context: SyncContext) -> None:
    (published,) = sync_partitions(context, CRSP, ["2023"])
    assert isinstance(published, SyncOutcome)
    with context.records.transaction(SYSTEM) as connection:
        (figures,) = partition_statistics.of_versions(connection, "crsp_daily", "2023", published.file.source, 9)
        (covered,) = coverage.of_tables(connection, "crsp", "crsp_daily")
    assert (figures.manifest_version, figures.row_count) == (1, published.file.rows)
    assert set(figures.null_shares) == {column.name for column in CRSP.columns}
    assert figures.null_shares["permno"] == 0.0
    assert figures.statistics["log_median"]["prc"] > 0
    assert (covered.start_date, covered.end_date) == (dt.date(2023, 1, 3), dt.date(2023, 12, 29))
    assert (covered.dates, covered.missing_dates, covered.gaps) == (250, 0, ())
    assert (covered.row_count, next(iter(covered.symbols_by_month))) == (published.file.rows, "2023-01")
    assert covered.symbols is not None
    assert 0 < covered.symbols_by_month["2023-06"] <= covered.symbols


def test_coverage_can_be_looked_at_again(context: SyncContext) -> None:
    source = published(context)
    sync_partition(context, NAMES, "all")
    with context.records.transaction(SYSTEM) as connection:
        before = [dataclasses.replace(each, updated_at=None) for each in coverage.of_tables(connection, "crsp")]
        connection.execute("UPDATE platform.data_coverage SET row_count = 0, dates = 0, symbols_by_month = '{}'")
        measured = partition_statistics.of_versions(connection, "crsp_daily", "2023", source, 9)
    assert [refresh_coverage(context, table) for table in (CRSP, NAMES)] == [1, 1]
    with context.records.transaction(SYSTEM) as connection:
        after = [dataclasses.replace(each, updated_at=None) for each in coverage.of_tables(connection, "crsp")]
        assert partition_statistics.of_versions(connection, "crsp_daily", "2023", source, 9) == measured
    assert after == before


def test_figures_of_what_was_published_without_them_are_measured_later(context: SyncContext) -> None:
    source = published(context)
    with context.records.transaction(SYSTEM) as connection:
        (measured,) = partition_statistics.of_versions(connection, "crsp_daily", "2023", source, 9)
    with psycopg.connect(context.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("TRUNCATE platform.data_partition_statistics")
    refresh_coverage(context, CRSP)
    with context.records.transaction(SYSTEM) as connection:
        (again,) = partition_statistics.of_versions(connection, "crsp_daily", "2023", source, 9)
    assert (again.statistics, again.null_shares) == (measured.statistics, measured.null_shares)


def test_a_fault_that_every_rule_lets_pass_is_quarantined_and_raises_one_alert(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute(HUNDREDFOLD)
    for _ in range(2):
        (result,) = sync_partitions(context, CRSP, ["2023"])
        assert isinstance(result, SyncFailure)
        failed = {each.validation_type for each in result.results if each.status is Status.FAILED}
        assert failed == {ValidationType.ANOMALY}
    (alert,) = open_alerts(context)
    assert (alert.table_name, alert.partition, alert.metric, alert.severity) == (
        "crsp_daily",
        "2023",
        "hundredfold",
        "error",
    )
    assert "date 2023-07-05" in alert.message
    with context.records.transaction(SYSTEM) as connection:
        verdicts = validations.recent(connection, "crsp", "crsp_daily")
    assert {each.status for each in verdicts if each.validation_type == "anomaly"} == {"failed"}


def test_a_settled_alert_is_raised_again_when_the_fault_is_still_there(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute(HUNDREDFOLD)
    list(sync_partitions(context, CRSP, ["2023"]))
    (first,) = open_alerts(context)
    with context.records.transaction(SYSTEM) as connection:
        acknowledgments.acknowledge(connection, first.id, "system:test", "told the vendor")
    list(sync_partitions(context, CRSP, ["2023"]))
    (second,) = open_alerts(context)
    assert (second.id > first.id, second.message) == (True, first.message)


def test_a_person_can_accept_what_statistics_find_and_nothing_else(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute(HUNDREDFOLD)
    list(sync_partitions(context, CRSP, ["2023"]))
    (entry,) = context.warehouse.quarantine.entries()
    with pytest.raises(SyncValidationError, match="still fails validation"):
        restore_quarantined(context, entry)
    manifest = restore_quarantined(context, entry, accept_anomalies=True)
    file = manifest.file("2023")
    assert file is not None
    (check,) = [each for each in file.checks if each.validation_type == "anomaly"]
    assert (check.status, check.message.partition(":")[0]) == ("warning", "let through")

    (again,) = sync_partitions(context, CRSP, ["2023"], full=True)
    assert isinstance(again, SyncOutcome)
    assert context.warehouse.quarantine.entries() == []

    wrds_owner.execute("UPDATE crsp.dsf_v2 SET dlyret = -2 WHERE dlycaldt = '2023-08-01' AND dlydelflg = 'N'")
    list(sync_partitions(context, CRSP, ["2023"]))
    (broken,) = context.warehouse.quarantine.entries()
    with pytest.raises(SyncValidationError, match="contract"):
        restore_quarantined(context, broken, accept_anomalies=True)


def test_anomalies_can_be_told_not_to_block(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute(HUNDREDFOLD)
    settings = context.settings.model_copy(update={"block_on_anomalies": False})
    (result,) = sync_partitions(dataclasses.replace(context, settings=settings), CRSP, ["2023"])
    assert isinstance(result, SyncOutcome)
    (verdict,) = [each for each in result.results if each.validation_type is ValidationType.ANOMALY]
    assert (verdict.status, verdict.message.partition(":")[0]) == (Status.WARNING, "let through")
    assert [(alert.metric, alert.severity) for alert in open_alerts(context)] == [("hundredfold", "error")]


def test_fewer_rows_than_the_version_before_are_one_alert_with_the_figures(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    (good,) = sync_partitions(context, CRSP, ["2023"])
    assert isinstance(good, SyncOutcome)
    wrds_owner.execute(
        "DELETE FROM crsp.dsf_v2 WHERE dlycaldt < '2024-01-01' AND permno IN "
        "(SELECT DISTINCT permno FROM crsp.dsf_v2 ORDER BY permno LIMIT 6)"
    )
    (bad,) = sync_partitions(context, CRSP, ["2023"])
    assert isinstance(bad, SyncFailure)
    drops = [alert for alert in open_alerts(context) if alert.metric in {"row_drop", "row_count"}]
    assert [alert.metric for alert in drops] == ["row_drop"]
    assert drops[0].expected_value == good.file.rows
    assert drops[0].deviation_pct is not None
    assert drops[0].deviation_pct < -10


def test_the_alerts_of_a_run_are_one_message_when_it_ends(
    context: SyncContext, wrds_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    wrds_owner.execute(HUNDREDFOLD)
    wrds_owner.execute("DELETE FROM crsp.dsf_v2 WHERE dlycaldt IN ('2024-03-04', '2024-03-05')")
    with hook() as there:
        told = dataclasses.replace(
            context,
            settings=context.settings.model_copy(update={"alert_channels": {"oncall": SecretStr(there.address)}}),
        )
        with context.records.transaction(SYSTEM) as connection:
            alert_rules.add(connection, "errors", "oncall", severity="error", reason="")
        list(sync_partitions(told, CRSP, ["2023", "2024"]))
        assert len(there.got) == 1
        assert all(word in str(there.got[0]) for word in ("hundredfold", "date_gap", "2023", "2024"))
    with context.records.transaction(SYSTEM) as connection:
        sent = alert_deliveries.recent(connection, state="sent")
    assert len(sent) == len(open_alerts(context))


def test_no_session_at_the_source_waits_for_a_channel(
    context: SyncContext, wrds_owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bool] = []

    def sessions() -> int:
        (number,) = wrds_owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() or (0,)
        return number

    def slow_channel(*_: object) -> None:
        # The server takes a moment to see that a client is gone.
        ends = time.monotonic() + 3
        while sessions() and time.monotonic() < ends:
            time.sleep(0.02)
        left.append(sessions() > 0)

    monkeypatch.setattr("data_platform.sync.alerting.deliver_quietly", slow_channel)
    list(sync_partitions(context, CRSP, ["2023"]))
    assert left == [False]


def test_a_channel_that_is_away_keeps_no_run(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute(HUNDREDFOLD)
    away = context.settings.model_copy(update={"alert_channels": {"oncall": SecretStr("json://127.0.0.1:9")}})
    with context.records.transaction(SYSTEM) as connection:
        alert_rules.add(connection, "errors", "oncall", reason="")
    results = list(sync_partitions(dataclasses.replace(context, settings=away), CRSP, ["2023", "2024"]))
    assert [type(result) for result in results] == [SyncFailure, SyncOutcome]
    with context.records.transaction(SYSTEM) as connection:
        (delivery,) = alert_deliveries.recent(connection)
    assert (delivery.state, delivery.attempts) == ("failed", 1)
