"""Runs of the assets and of the query job in a real instance: what they leave there, and what they never do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import polars as pl
import psycopg
import pytest

from data_platform.catalog import Table, find_table
from data_platform.definitions import build_definitions
from data_platform.errors import PlatformError, SyncValidationError
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.identity import local_administrator
from data_platform.orchestration.dead_runs import PROCESS_TAG, is_gone, report_dead_runs
from data_platform.orchestration.launching import run_asset, run_query_job
from data_platform.orchestration.resource import Platform, WatchedPlatform
from data_platform.quality import CHECKS
from data_platform.records import platform_audit, sync_logs
from data_platform.records.scope import Scope
from data_platform.sync import SyncContext, SyncFailure, SyncOutcome

CRSP = find_table("crsp_daily")
KEY = dg.AssetKey("crsp_daily")


class Runs:
    """Definitions over one context, an instance, and everything that was reported."""

    def __init__(self, context: SyncContext, instance: dg.DagsterInstance) -> None:
        self.platform = Platform(context.settings, context.records, context.warehouse)
        self.context = context
        self.instance = instance
        self.reported: list[SyncOutcome | SyncFailure | PlatformError] = []
        resource = WatchedPlatform(self.platform, context, self.reported.append)
        self.definitions = build_definitions(context.settings, {"platform": resource})

    def sync(self, *years: str, table: Table = CRSP) -> list[bool]:
        ran = run_asset(self.definitions, self.instance, table, list(years), config={"reason": "test"}, tags={})
        return [success for success, _ in ran]

    def checks(self, partition: str) -> dict[str, bool | None]:
        """The newest evaluation of each check of a partition; None when it was planned but not evaluated."""
        storage = self.instance.event_log_storage
        found: dict[str, bool | None] = {}
        for kind in CHECKS:
            key = dg.AssetCheckKey(KEY, kind.value)
            for record in storage.get_asset_check_execution_history(key, limit=20):
                if record.partition == partition:
                    evaluation = record.event.dagster_event if record.event else None
                    data = evaluation.event_specific_data if evaluation else None
                    found[kind.value] = getattr(data, "passed", None)
                    break
        return found

    def everything_stored(self) -> str:
        """Every event, tag and run config of every run, as text."""
        texts: list[str] = []
        for run in self.instance.get_runs():
            texts += [json.dumps(run.run_config), json.dumps(run.tags)]
            texts += [str(record) for record in self.instance.all_logs(run.run_id)]
        return "\n".join(texts)


@pytest.fixture
def runs(context: SyncContext, tmp_path: Path) -> Iterator[Runs]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Runs(context, instance)


def test_a_range_of_years_is_one_run_with_each_partition_and_check_of_its_own(runs: Runs) -> None:
    assert runs.sync("2023", "2024") == [True]
    assert len(runs.instance.get_runs()) == 1
    assert runs.instance.get_materialized_partitions(KEY) == {"2023", "2024"}
    for year in ("2023", "2024"):
        assert runs.checks(year) == dict.fromkeys((kind.value for kind in CHECKS), True)
    (record,) = runs.instance.fetch_materializations(KEY, limit=1).records
    materialization = record.asset_materialization
    assert materialization is not None
    latest = runs.platform.warehouse.reader("crsp_daily").pin()
    assert materialization.tags is not None
    assert materialization.tags["dagster/data_version"] == latest.manifest.files[1].sha256
    assert materialization.metadata["dagster/row_count"].value == latest.row_count
    assert materialization.metadata["dagster/partition_row_count"].value == latest.manifest.files[1].rows
    assert materialization.metadata["version"].value == 2


def test_an_unchanged_partition_is_materialized_again_with_the_checks_it_was_published_under(runs: Runs) -> None:
    runs.sync("2024")
    runs.sync("2024")
    assert runs.checks("2024") == dict.fromkeys((kind.value for kind in CHECKS), True)
    newest, oldest = runs.instance.fetch_materializations(KEY, limit=2).records
    tags = [record.asset_materialization.tags for record in (newest, oldest) if record.asset_materialization]
    assert tags[0] == tags[1]
    assert runs.platform.warehouse.manifests("crsp_daily").latest_number() == 1


def test_a_bad_partition_fails_its_check_and_the_run_and_spares_the_others(
    runs: Runs, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute("DELETE FROM crsp.dsf_v2 WHERE dlycaldt = '2023-03-01'")
    assert runs.sync("2023", "2024") == [False]
    assert runs.checks("2023")["date_continuity"] is False
    assert runs.checks("2024")["date_continuity"] is True
    assert runs.instance.get_materialized_partitions(KEY) == {"2024"}
    assert [type(result) for result in runs.reported] == [SyncFailure, SyncOutcome]
    failure = runs.reported[0]
    assert isinstance(failure, SyncFailure)
    assert isinstance(failure.error, SyncValidationError)
    (run,) = runs.instance.get_runs()
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert "1 of 250 sessions are missing: 2023-03-01" in runs.everything_stored()


def test_a_materialization_shows_its_quality_in_numbers_and_the_last_one_the_tables_coverage(runs: Runs) -> None:
    assert runs.sync("2023", "2024") == [True]
    records = runs.instance.fetch_materializations(KEY, limit=2).records
    newest, before = [
        record.asset_materialization.metadata for record in records if record.asset_materialization is not None
    ]
    for metadata in (newest, before):
        assert metadata["anomalies"].value == 0
        assert metadata["missing_dates"].value == 0
        assert metadata["dates"].value in {250, 252}
        symbols, null_pct = metadata["symbols"].value, metadata["null_pct"].value
        assert isinstance(symbols, int)
        assert isinstance(null_pct, float)
        assert symbols > 10
        assert 0 < null_pct < 10
        assert "| dlyretmissflg | 9" in str(metadata["null_shares"].value)
    assert str(newest["coverage_chart"].value).startswith("![coverage](data:image/png;base64,iVBOR")
    assert "coverage_chart" not in before


def test_the_coverage_is_shown_also_where_the_last_partition_of_a_run_had_not_changed(runs: Runs) -> None:
    assert runs.sync("2024") == [True]
    assert runs.sync("2023", "2024") == [True]
    records = runs.instance.fetch_materializations(KEY, limit=2).records
    newest, before = [record.asset_materialization for record in records if record.asset_materialization is not None]
    assert (newest.partition, before.partition) == ("2024", "2023")
    assert "coverage_chart" in newest.metadata
    assert runs.sync("2024") == [True]
    (unchanged,) = runs.instance.fetch_materializations(KEY, limit=1).records
    assert unchanged.asset_materialization is not None
    assert "coverage_chart" not in unchanged.asset_materialization.metadata


def test_findings_of_a_check_are_a_table_of_rules_and_keys(runs: Runs, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute("UPDATE crsp.dsf_v2 SET primaryexch = 'Z' WHERE dlycaldt = '2023-07-05' AND dlydelflg = 'N'")
    assert runs.sync("2023") == [True]
    storage = runs.instance.event_log_storage
    (record,) = storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "contract"), limit=1)
    assert record.event is not None
    evaluation = record.event.get_dagster_event().asset_check_evaluation_data
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    table = str(evaluation.metadata["findings"].value)
    assert "| primaryexch | one of N, A, Q, R, B, I, X | warning |" in table
    assert "date 2023-07-05" in table
    assert evaluation.metadata["findings_count"].value == 1


def test_a_source_error_ends_the_run_with_its_own_words(runs: Runs, wrds_owner: psycopg.Connection) -> None:
    wrds_owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA crsp FROM PUBLIC")
    demo = runs.context.records.databases.demo
    assert demo is not None
    wrds_owner.execute(f"REVOKE ALL ON crsp.dsf_v2 FROM {demo.reader}")  # type: ignore[arg-type]
    assert runs.sync("2024") == [False]
    (error,) = runs.reported
    assert isinstance(error, PlatformError)
    assert "may not read crsp.dsf_v2" in error.message
    assert error.message in runs.everything_stored()


def test_no_row_no_password_and_no_query_text_is_ever_stored_by_dagster(runs: Runs) -> None:
    runs.sync("2023", "2024")
    sql = "SELECT ticker, cusip FROM crsp_daily WHERE ticker <> 'WITNESS' LIMIT 5"
    service = DataExplorerService(runs.context.records, runs.context.warehouse, runs.context.settings)
    request = service.submit_query(local_administrator(), "crsp", sql).id
    run_query_job(runs.definitions, runs.instance, request, {})
    assert runs.reported
    assert not [result for result in runs.reported if isinstance(result, PlatformError)]
    refused = service.submit_query(local_administrator(), "crsp", "SELECT witness_of_words FROM crsp_daily").id
    run_query_job(runs.definitions, runs.instance, refused, {})
    assert "witness_of_words" in str(runs.reported[-1])
    stored = runs.everything_stored()
    assert str(request) in stored
    assert "unknown_name" in stored
    assert "witness_of_words" not in stored
    frame = runs.platform.warehouse.reader("crsp_daily").pin().scan()
    values = frame.select(pl.col("cusip").unique()).collect().get_column("cusip").drop_nulls().to_list()
    assert len(values) >= 20
    assert [value for value in values if value in stored] == []
    demo = runs.context.records.databases.demo
    assert demo is not None
    for secret in (demo.reader_password, demo.owner_password, "WITNESS"):
        assert secret not in stored


def test_a_sync_is_audited_with_who_what_and_why(runs: Runs) -> None:
    runs.sync("2024")
    with runs.context.records.transaction(Scope.system("test")) as connection:
        (entry,) = platform_audit.recent(connection)
    assert (entry.actor, entry.action, entry.dataset) == (local_administrator().user_id, "manual_sync", "crsp")
    assert (entry.subject, entry.reason) == ("crsp_daily", "test")
    assert entry.new_value == {"partitions": ["2024"], "full": False}


def test_a_run_inside_a_command_takes_no_place_in_the_pool_and_dies_with_its_process(runs: Runs) -> None:
    assert build_definitions(runs.context.settings, pooled=False).resolve_asset_graph().get(KEY).pools == set()
    runs.sync("2024")
    (finished,) = runs.instance.get_runs()
    assert not is_gone(finished.tags[PROCESS_TAG])
    boot, pid, started, *rest = finished.tags[PROCESS_TAG].split(":")
    abandoned = [":".join([boot, pid, str(int(started) - 1), *rest]), f"another-boot:{pid}:{started}"]
    for identity in [*abandoned, finished.tags[PROCESS_TAG]]:
        job = runs.definitions.resolve_job_def("query_job")
        runs.instance.create_run_for_job(job, tags={PROCESS_TAG: identity})
    assert len(report_dead_runs(runs.instance)) == len(abandoned)
    assert report_dead_runs(runs.instance) == []


def test_sql_typed_into_the_launchpad_goes_through_the_same_service(runs: Runs) -> None:
    runs.sync("2024")
    config = {"ops": {"run_query": {"config": {"dataset": "crsp", "sql": "SELECT count(*) FROM crsp_daily"}}}}
    job = runs.definitions.resolve_job_def("query_job")
    result = job.execute_in_process(instance=runs.instance, run_config=config)
    outputs = [
        event.step_output_data.metadata for event in result.all_events if event.event_type_value == "STEP_OUTPUT"
    ]
    assert outputs[0]["dagster/row_count"].value == 1
    assert outputs[0]["versions"].value == {"crsp_daily": 1}


def test_an_export_runs_by_its_id_and_the_run_shows_no_row_of_it(runs: Runs) -> None:
    runs.sync("2024")
    service = DataExplorerService(runs.context.records, runs.context.warehouse, runs.context.settings)
    sql = "SELECT permno, date, cusip FROM crsp_daily WHERE ticker <> 'WITNESS' ORDER BY date, permno LIMIT 50"
    export = service.submit_export(local_administrator(), "crsp", sql, "parquet")
    job = runs.definitions.resolve_job_def("export_job")
    config = {"ops": {"run_export": {"config": {"request_id": str(export.id)}}}}
    result = job.execute_in_process(instance=runs.instance, run_config=config)
    (metadata,) = [
        event.step_output_data.metadata for event in result.all_events if event.event_type_value == "STEP_OUTPUT"
    ]
    file = service.open_export(local_administrator(), export.id)
    assert metadata["dagster/row_count"].value == file.dto.row_count == 50
    assert metadata["sha256"].value == file.dto.sha256
    stored = runs.everything_stored()
    assert "WITNESS" not in stored
    assert [value for value in set(pl.read_parquet(file.path).get_column("cusip")) if value in stored] == []
    assert not job.execute_in_process(instance=runs.instance, run_config=config, raise_on_error=False).success
    assert "is done already" in str(runs.reported[-1])


def test_sql_typed_into_the_launchpad_is_refused_where_others_would_read_it(runs: Runs) -> None:
    settings = runs.platform.settings.model_copy(update={"identity": "token"})
    shared = WatchedPlatform(replace(runs.platform, settings=settings), runs.context, runs.reported.append)
    job = build_definitions(settings, {"platform": shared}).resolve_job_def("query_job")
    config = {"ops": {"run_query": {"config": {"dataset": "crsp", "sql": "SELECT 1"}}}}
    assert not job.execute_in_process(instance=runs.instance, run_config=config, raise_on_error=False).success
    assert "stays visible to everyone" in str(runs.reported[-1])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "Nothing to run"),
        ({"request_id": "nope"}, "is no request id"),
        ({"request_id": {"env": "WITNESS"}}, "references to the environment are not taken"),
        ({"dataset": {"env": "WITNESS"}, "sql": "SELECT 1"}, "references to the environment are not taken"),
        ({"request_id": "00000000-0000-0000-0000-000000000000"}, "was not found"),
        ({"dataset": "crsp", "sql": "DROP TABLE crsp_daily"}, "Only a SELECT"),
        ({"dataset": "nope", "sql": "SELECT 1"}, "Unknown dataset"),
    ],
)
def test_a_bad_query_request_fails_the_run_with_one_clear_error(
    runs: Runs, config: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WITNESS", "a-password")
    runs.sync("2024")
    job = runs.definitions.resolve_job_def("query_job")
    result = job.execute_in_process(
        instance=runs.instance, run_config={"ops": {"run_query": {"config": config}}}, raise_on_error=False
    )
    assert not result.success
    error = runs.reported[-1]
    assert isinstance(error, PlatformError)
    assert message in error.message
    assert "a-password" not in runs.everything_stored()


def test_a_run_says_how_far_it_is_in_its_own_log_and_in_the_records(runs: Runs, wrds_owner: psycopg.Connection) -> None:
    # More than one block of rows, so that there is something to say on the way.
    wrds_owner.execute(
        "INSERT INTO crsp.dsf_v2 SELECT d.* FROM crsp.dsf_v2 d CROSS JOIN generate_series(1, 40) "
        "WHERE dlycaldt >= '2024-01-01'"
    )
    watched: list[int] = []
    context = replace(runs.context, line_seconds=0.0, progress=lambda pace: watched.append(pace.rows))
    quick = Runs(context, runs.instance)
    quick.sync("2023")
    quick.sync("2024")
    said = [
        record.user_message
        for run in quick.instance.get_runs()[::-1]
        for record in quick.instance.all_logs(run.run_id)
        if record.dagster_event is None and re.match(r"crsp_daily 20\d\d: [\d,]+ (of|rows)", record.user_message)
    ]
    assert re.fullmatch(r"crsp_daily 2023: ([\d,]+) of \1 rows \(100 %\), [\d,]+ rows/s", said[0])
    assert re.fullmatch(r"crsp_daily 2023: [\d,]+ rows in [\d.]+ s, [\d,]+ rows/s", said[1])
    on_the_way = [line for line in said[2:] if " left" in line]
    assert on_the_way
    assert re.fullmatch(
        r"crsp_daily 2024: [\d,]+ of [\d,]+ rows \(\d\d? %\), [\d,]+ rows/s, about .+ left", on_the_way[0]
    )
    assert len(watched) == len(said) - 2
    with runs.context.records.transaction(Scope.system("test")) as connection:
        kept = [line for line in sync_logs.recent(connection)[::-1] if line.message in said]
    assert [line.message for line in kept] == said
    assert {line.level for line in kept} == {"INFO"}
    assert kept[0].extra["partition"] == "2023"
    (record,) = runs.instance.fetch_materializations(KEY, limit=1).records
    materialization = record.asset_materialization
    assert materialization is not None
    shown = {name: value.value for name, value in materialization.metadata.items()}
    assert shown["rows"] == shown["dagster/partition_row_count"] == kept[0].extra["rows"]
    assert kept[0].extra["expected_rows"] == kept[0].extra["rows"]
    assert shown["progress_lines"] == 2
    for name in ("rows_per_second", "mb_per_second", "extract_seconds", "seconds", "bytes_received"):
        number = shown[name]
        assert isinstance(number, int | float)
        assert number > 0
