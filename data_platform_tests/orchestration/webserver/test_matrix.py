"""Every mutation of Dagster's GraphQL, asked by every kind of user for every dataset, against mutation_cases.txt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.utils import make_new_backfill_id
from dagster._time import get_current_timestamp

from data_platform.catalog import DATASETS
from data_platform.orchestration.webserver.mutations import MUTATIONS, Kind, kind_of
from data_platform_tests.orchestration.webserver.world import (
    LOCATION,
    PEOPLE,
    REPOSITORY,
    SCHEMA,
    TABLES,
    World,
    execution,
)

REFUSAL = re.compile(r"Authorization failed|do not have permission|requires (the role admin|[a-z]+:[a-z_]+)")
NO_SUCH_DEFINITION = "does not contain a dynamic partitions definition"
"""What Dagster calls unauthorised too, after it has looked at the permission."""

NEEDS_REASON = "needs a reason"


def _read() -> dict[str, dict[str, str]]:
    lines = Path(__file__).with_name("mutation_cases.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {row[0]: dict(zip(PEOPLE, row[1:], strict=True)) for row in rows}


CASES = _read()


def test_every_mutation_of_this_dagster_is_decided() -> None:
    assert SCHEMA.mutation_type is not None
    asked = set(SCHEMA.mutation_type.fields)
    assert asked == set(CASES)
    assert asked == set(MUTATIONS)
    assert kind_of("aMutationOfTomorrow") is Kind.ADMINISTRATION
    assert set(TABLES) == set(DATASETS)


@pytest.mark.parametrize("mutation", CASES)
def test_whoever_may_not_is_refused_and_whoever_may_is_not(world: World, mutation: str) -> None:
    signs: dict[str, str] = {}
    datasets = sorted(TABLES)
    asked = {str(_arguments(world, mutation, dataset)) for dataset in datasets}
    for person in PEOPLE:
        if len(asked) == 1:  # It knows no dataset: once is enough.
            signs[person] = _sign(world, person, mutation, datasets[0]) * len(datasets)
        else:
            signs[person] = "".join(_sign(world, person, mutation, dataset) for dataset in datasets)
    assert signs == CASES[mutation]


def _sign(world: World, person: str, mutation: str, dataset: str) -> str:
    world.forget_limits()
    answer = world.mutate(person, mutation, _arguments(world, mutation, dataset))
    text = str(answer)
    refused = ("UnauthorizedError" in text and NO_SUCH_DEFINITION not in text) or REFUSAL.search(text) is not None
    if not refused and kind_of(mutation) in {Kind.RUN, Kind.BACKFILL}:
        # It came as far as the rule behind the permissions.
        assert NEEDS_REASON in text or "Reexecution" in mutation, answer
    return "-" if refused else "+"


def _arguments(world: World, mutation: str, dataset: str) -> dict[str, Any]:  # noqa: PLR0911, PLR0912 - a table
    table = TABLES[dataset]
    parameters = execution(table, None if dataset == "fama_french" else "2024")
    repository = {"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION}
    schedule = {**repository, "scheduleName": f"schedule_{dataset}"}
    sensor = {**repository, "sensorName": f"sensor_{dataset}"}
    match mutation:
        case "launchPipelineExecution" | "launchRun":
            return {"executionParams": parameters}
        case "launchMultipleRuns":
            return {"executionParamsList": [parameters]}
        case "launchPipelineReexecution" | "launchRunReexecution":
            return {"reexecutionParams": {"parentRunId": _run(world, table), "strategy": "ALL_STEPS"}}
        case "launchPartitionBackfill":
            return {"backfillParams": {"assetSelection": [{"path": [table]}], "partitionNames": ["2024"]}}
        case "resumePartitionBackfill" | "cancelPartitionBackfill":
            return {"backfillId": _backfill(world, table)}
        case "reexecutePartitionBackfill":
            return {"reexecutionParams": {"parentRunId": _backfill(world, table), "strategy": "ALL_STEPS"}}
        case "startSchedule" | "resetSchedule":
            return {"scheduleSelector": schedule}
        case "scheduleDryRun":
            return {"selectorData": schedule, "timestamp": 1_700_000_000.0}
        case "stopRunningSchedule":
            return {"id": _state(world, "schedule", dataset)}
        case "startSensor" | "resetSensor":
            return {"sensorSelector": sensor}
        case "setSensorCursor":
            return {"sensorSelector": sensor, "cursor": "1"}
        case "sensorDryRun":
            return {"selectorData": sensor, "cursor": ""}
        case "stopSensor":
            return {"id": _state(world, "sensor", dataset)}
        case "terminatePipelineExecution" | "terminateRun" | "deletePipelineRun" | "deleteRun":
            return {"runId": _run(world, table)}
        case "terminateRuns":
            return {"runIds": [_run(world, table)]}
        case "reloadRepositoryLocation" | "shutdownRepositoryLocation":
            return {"repositoryLocationName": "no_such_place"}
        case "wipeAssets":
            return {"assetPartitionRanges": [{"assetKey": {"path": [table]}}]}
        case "reportRunlessAssetEvents":
            return {"eventParams": {"eventType": "ASSET_OBSERVATION", "assetKey": {"path": [table]}}}
        case "reportAssetCheckEvaluations":
            return {"eventParams": {"assetKey": {"path": [table]}, "checkName": "schema", "passed": True}}
        case "addDynamicPartition":
            return {"repositorySelector": repository, "partitionsDefName": "none", "partitionKey": "1"}
        case "deleteDynamicPartitions":
            return {"repositorySelector": repository, "partitionsDefName": "none", "partitionKeys": ["1"]}
        case "setAppManagedComponent":
            return {"locationName": LOCATION, "componentId": "1", "componentType": "x", "attributes": "{}"}
        case "deleteAppManagedComponent":
            return {"locationName": LOCATION, "componentId": "1"}
        case "refreshComponentState":
            return {"locationName": LOCATION, "defsStateKey": "none"}
        case "setAutoMaterializePaused":
            return {"paused": False}
        case "setConcurrencyLimit":
            return {"concurrencyKey": "spare", "limit": 1}
        case "deleteConcurrencyLimit":
            return {"concurrencyKey": "spare"}
        case "freeConcurrencySlotsForRun" | "freeConcurrencySlots":
            return {"runId": "none"}
        case "logTelemetry":
            return {"action": "a", "clientTime": "0", "clientId": "1", "metadata": "{}"}
        case _:
            return {}


def _run(world: World, table: str) -> str:
    """A run of somebody else, which has failed for want of a reason."""
    known = world.instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    theirs = [run for run in known if run.tags.get("data_platform/user") == "admin"]
    found = next((run.run_id for run in theirs if run.asset_selection == {dg.AssetKey(table)}), None)
    if found is None:
        world.launch("admin", table, partition=None if table == TABLES["fama_french"] else "2024")
        found = world.instance.get_runs(limit=1)[0].run_id
    return found


def _backfill(world: World, table: str) -> str:
    """A backfill of somebody else that has failed."""
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id=make_new_backfill_id(),
        asset_graph=world.process.create_request_context().asset_graph,
        backfill_timestamp=get_current_timestamp(),
        tags={"data_platform/user": "somebody"},
        asset_selection=[dg.AssetKey(table)],
        partition_names=None if table == TABLES["fama_french"] else ["2024"],
        dynamic_partitions_store=world.instance,
        all_partitions=table == TABLES["fama_french"],
        title=None,
        description=None,
        run_config=None,
    )
    world.instance.add_backfill(backfill.with_status(BulkActionStatus.FAILED))
    return backfill.backfill_id


def _state(world: World, kind: str, dataset: str) -> str:
    """The id by which Dagster ends a schedule or a sensor."""
    selector = {"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION, f"{kind}Name": f"{kind}_{dataset}"}
    text = f"""query State($selector: {kind.capitalize()}Selector!) {{
        {kind}OrError({kind}Selector: $selector) {{ ... on {kind.capitalize()} {{ {kind}State {{ id }} }} }} }}"""
    return world.query("admin", text, selector=selector)[f"{kind}OrError"][f"{kind}State"]["id"]
