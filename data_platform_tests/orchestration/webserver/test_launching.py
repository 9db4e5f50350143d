"""Launches through the webserver: whose they are, and what they must meet."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.utils import make_new_run_id

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import Role, User
from data_platform_tests.orchestration.webserver.world import World, document, execution
from data_platform_tests.records.processes import eventually

USER = "data_platform/user"


def _spanning(first: str, last: str) -> dict[str, str]:
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def launched(result: dict[str, Any]) -> str:
    assert result["__typename"] == "LaunchRunSuccess", result
    return str(result["run"]["runId"])


def test_a_launch_carries_the_name_of_whoever_is_signed_in(world: World) -> None:
    run_id = launched(world.launch("operator", "crsp_daily", reason="new data"))
    assert world.user_of(run_id) == "operator"
    (entry, *_) = world.audit("sync.launch")
    assert (entry.actor, entry.dataset, entry.subject, entry.reason) == ("operator", "crsp", "crsp_daily", "new data")
    assert entry.new_value == {"as": f"run {run_id}", "partitions": ["2024"]}
    assert entry.client_ip == "testclient"


@pytest.mark.parametrize("forged", ["admin", "system:schedule", "local:root"])
def test_a_name_that_the_caller_wrote_is_replaced(world: World, forged: str) -> None:
    tags = {USER: forged, "dagster/schedule_name": "nightly", "dagster/backfill": "some", "dagster/retry_number": "1"}
    run_id = launched(world.launch("operator", "crsp_daily", reason="mine", **tags))
    assert world.user_of(run_id) == "operator"
    stored = world.instance.get_runs(filters=dg.RunsFilter(tags={USER: forged}))
    assert run_id not in {run.run_id for run in stored}


def test_a_name_on_a_refused_launch_is_replaced_too(world: World) -> None:
    refused = world.launch("operator", "crsp_daily", **{USER: "admin"})
    assert "needs a reason" in refused["message"]
    (newest,) = world.instance.get_runs(limit=1)
    assert (newest.tags[USER], newest.status) == ("operator", dg.DagsterRunStatus.FAILURE)


def test_a_forged_name_on_a_backfill_is_replaced(world: World) -> None:
    answer = world.mutate(
        "operator",
        "launchPartitionBackfill",
        {
            "backfillParams": {
                "assetSelection": [{"path": ["crsp_daily"]}],
                "partitionNames": ["2023", "2024"],
                "title": "two years",
                "tags": [{"key": USER, "value": "admin"}],
            }
        },
    )["data"]["launchPartitionBackfill"]
    backfill = world.instance.get_backfill(answer["backfillId"])
    assert backfill is not None
    assert backfill.tags[USER] == "operator"
    (entry, *_) = world.audit("sync.launch")
    assert (entry.actor, entry.reason, entry.new_value) == (
        "operator",
        "two years",
        {"as": "a backfill", "partitions": ["2023", "2024"]},
    )


def test_a_run_executed_again_carries_the_name_of_whoever_does_it_again(world: World) -> None:
    first = launched(world.launch("admin", "crsp_daily", reason="first"))
    run = world.instance.get_run_by_id(first)
    assert run is not None
    world.instance.report_run_failed(run, "on purpose")
    world.forget_limits()
    again = world.mutate(
        "operator", "launchRunReexecution", {"reexecutionParams": {"parentRunId": first, "strategy": "ALL_STEPS"}}
    )["data"]["launchRunReexecution"]
    assert world.user_of(launched(again)) == "operator"
    assert world.user_of(first) == "admin"


@pytest.mark.parametrize("mutation", ["reexecutePartitionBackfill", "resumePartitionBackfill"])
def test_a_backfill_launched_again_carries_the_name_of_whoever_does_it_again(world: World, mutation: str) -> None:
    parameters = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2024"], "description": "first"}
    first = world.mutate("admin", "launchPartitionBackfill", {"backfillParams": parameters})["data"]
    first_id = first["launchPartitionBackfill"]["backfillId"]
    backfill = world.instance.get_backfill(first_id)
    assert backfill is not None
    world.instance.update_backfill(backfill.with_status(type(backfill.status)["FAILED"]))
    world.forget_limits()
    arguments = (
        {"backfillId": first_id}
        if mutation == "resumePartitionBackfill"
        else {"reexecutionParams": {"parentRunId": first_id, "strategy": "ALL_STEPS"}}
    )
    again = world.mutate("operator", mutation, arguments)
    assert "backfillId" in str(again) or "ResumeBackfillSuccess" in str(again), again
    newest = world.instance.get_backfills(limit=1)[0]
    assert newest.tags[USER] == "operator"
    assert (newest.backfill_id == first_id) == (mutation == "resumePartitionBackfill")


def test_all_users_together_get_one_manual_sync_a_minute(world: World) -> None:
    launched(world.launch("operator", "crsp_daily", reason="one"))
    refused = world.launch("admin", "crsp_daily", partition="2023", reason="two")
    assert "Please wait" in refused["message"]
    assert "for all users together" in refused["message"]
    (entry, *_) = world.audit("sync.refused")
    assert (entry.actor, entry.new_value) == (
        "admin",
        {"as": entry.new_value["as"] if entry.new_value else "", "error": "RateLimitedError"},
    )
    backfill = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2022"], "title": "three"}
    answer = world.mutate("operator", "launchPartitionBackfill", {"backfillParams": backfill})
    assert "Please wait" in answer["data"]["launchPartitionBackfill"]["message"]


def test_a_partition_that_syncs_already_is_refused_with_the_run_that_is_at_it(world: World) -> None:
    first = launched(world.launch("operator", "crsp_daily", reason="one"))
    world.forget_limits()
    refused = world.launch("operator", "crsp_daily", reason="two")
    assert f"crsp_daily is syncing already, in run {first}." in refused["message"]
    # That refusal took no place of the limit, and another year is no matter.
    launched(world.launch("operator", "crsp_daily", partition="2023", reason="three"))


@pytest.mark.parametrize(
    ("partition", "tags", "said"),
    [
        ("1999", {}, "crsp_daily has no partition 1999."),
        (None, {}, "crsp_daily is partitioned by year: say which."),
        (None, _spanning("1999", "2021"), "crsp_daily has no partition 1999."),
        (None, _spanning("2024", "2021"), "the range ends before it begins."),
    ],
)
def test_a_partition_that_there_is_not_is_refused_and_takes_no_place_of_the_limit(
    world: World, partition: str | None, tags: dict[str, str], said: str
) -> None:
    refused = world.launch("operator", "crsp_daily", partition=partition, reason="one", **tags)
    assert said in refused["message"]
    launched(world.launch("operator", "crsp_daily", reason="two"))


@pytest.mark.parametrize(
    ("partition", "tags", "said"),
    [
        ("abc", {}, "'abc' is no partition. Partitions are years"),
        (None, _spanning("2021", "20245"), "'20245' is no partition."),
        ("20\x0024", {}, "'20\\x0024' is no partition."),
        ("2024", {"team": "a\0b"}, "value holds a NUL character at position 2."),
        ("2024", {"te\0am": "a"}, "key holds a NUL character at position 3."),
        ("2024", {"team": "a\ud800"}, "value holds half of a surrogate pair at position 2"),
    ],
)
def test_what_dagster_would_fail_on_half_way_is_refused_and_leaves_no_run(
    world: World, partition: str | None, tags: dict[str, str], said: str
) -> None:
    """It stored the run and then not its tags: a run that never began stayed, and the answer was the database's."""
    before = world.instance.get_runs_count()
    refused = _sent(world, "launchRun", {"executionParams": execution("crsp_daily", partition, "one", **tags)})
    assert said in refused["data"]["launchRun"]["message"]
    assert world.instance.get_runs_count() == before


@pytest.mark.parametrize(
    ("mutation", "arguments"),
    [
        ("terminateRun", {"runId": "a\0b"}),
        ("cancelPartitionBackfill", {"backfillId": "a\0b"}),
        (
            "launchPartitionBackfill",
            {
                "backfillParams": {
                    "assetSelection": [{"path": ["crsp_daily"]}],
                    "partitionNames": ["2024"],
                    "title": "x",
                    "tags": [{"key": "team", "value": "a\0b"}],
                }
            },
        ),
    ],
)
def test_a_nul_in_any_mutation_is_one_clear_error(world: World, mutation: str, arguments: dict[str, Any]) -> None:
    answer = _sent(world, mutation, arguments)
    said = answer["errors"][0]["message"] if answer["data"] is None else answer["data"][mutation]["message"]
    assert "holds a NUL character at position 2. Remove that character." in said


def _sent(world: World, mutation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Ask with a body that only says its characters by their numbers, as JSON can."""
    body = json.dumps({"query": document(mutation, arguments), "variables": arguments})
    return world.clients["operator"].post("/graphql", content=body, headers={"content-type": "application/json"}).json()


def test_a_backfill_of_partitions_that_there_are_not_is_refused(world: World) -> None:
    """Dagster would leave them out and say nothing, and the audit would have them."""
    asked = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2024", "1899"], "title": "two"}
    answer = world.mutate("operator", "launchPartitionBackfill", {"backfillParams": asked})
    assert "crsp_daily has no partition 1899." in answer["data"]["launchPartitionBackfill"]["message"]


def test_a_partition_of_a_backfill_under_way_is_refused_with_the_backfill(world: World) -> None:
    parameters = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2024"], "title": "all"}
    answer = world.mutate("operator", "launchPartitionBackfill", {"backfillParams": parameters})["data"]
    world.forget_limits()
    refused = world.launch("operator", "crsp_daily", reason="me too")
    assert f"in backfill {answer['launchPartitionBackfill']['backfillId']}." in refused["message"]
    launched(world.launch("operator", "crsp_daily", partition="2023", reason="another year"))


@pytest.mark.parametrize("person", ["viewer", "analyst"])
def test_whoever_may_not_sync_hears_which_permission_is_missing(world: World, person: str) -> None:
    answer = world.launch(person, "crsp_daily", reason="please")
    assert answer == {"__typename": "UnauthorizedError", "message": "Starting a sync requires trigger:data_sync"}


def test_the_coordinator_refuses_by_itself_when_dagster_would_not(world: World) -> None:
    """Dagster's own check looks at owners; were an asset's owner wrong, the coordinator still knows the catalog."""
    context = world.process.create_request_context()
    context.user = User("operator_without_crsp", Role.OPERATOR, revocations=frozenset({"dataset:crsp"}))
    run = _created(world, "crsp_daily")
    with pytest.raises(NotPermittedError, match="Access to crsp requires dataset:crsp"):
        world.instance.submit_run(run.run_id, context)
    (entry, *_) = world.audit("sync.refused")
    assert (entry.actor, entry.dataset) == ("operator_without_crsp", "crsp")
    assert world.user_of(run.run_id) == "operator_without_crsp"


def test_jobs_that_are_no_syncs_are_for_administrators(world: World) -> None:
    parameters = {
        **execution("crsp_daily", None),
        "selector": {
            "repositoryName": "__repository__",
            "repositoryLocationName": "data_platform",
            "jobName": "nothing_job",
        },
        "runConfigData": {},
    }
    refused = world.mutate("operator", "launchRun", {"executionParams": parameters})["data"]["launchRun"]
    assert refused["__typename"] == "UnauthorizedError"
    done = world.mutate("admin", "launchRun", {"executionParams": parameters})["data"]["launchRun"]
    assert world.user_of(launched(done)) == "admin"


def test_people_end_their_own_runs_and_backfills_and_no_others(world: World) -> None:
    mine = launched(world.launch("operator", "crsp_daily", reason="mine"))
    world.forget_limits()
    theirs = launched(world.launch("admin", "crsp_daily", partition="2023", reason="theirs"))
    assert world.query("operator", _MAY, id=mine)["runOrError"] == {"hasTerminatePermission": True}
    assert world.query("operator", _MAY, id=theirs)["runOrError"] == {"hasTerminatePermission": False}
    both = world.mutate("operator", "terminateRuns", {"runIds": [mine, theirs]})
    assert "requires the role admin" in str(both)
    assert "TerminateRunSuccess" in str(world.mutate("operator", "terminateRun", {"runId": mine}))
    assert "TerminateRunSuccess" not in str(world.mutate("operator", "terminateRun", {"runId": theirs}))
    status = {run.run_id: run.status for run in world.instance.get_runs(limit=2)}
    assert (status[mine], status[theirs]) == (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.QUEUED)


_MAY = "query May($id: ID!) { runOrError(runId: $id) { ... on Run { hasTerminatePermission } } }"


def _created(world: World, table: str) -> dg.DagsterRun:
    """A run as Dagster creates it before it is submitted."""
    launched(world.launch("admin", table, partition="2020", reason="a pattern"))
    world.forget_limits()
    pattern = world.instance.get_runs(limit=1)[0]
    fresh = pattern._replace(run_id=make_new_run_id(), status=dg.DagsterRunStatus.NOT_STARTED)
    return world.instance.run_storage.add_run(fresh)


def test_a_cancelled_backfill_stays_so_though_the_daemon_writes_what_it_read_before(world: World) -> None:
    parameters = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2024"], "title": "oops"}
    answer = world.mutate("operator", "launchPartitionBackfill", {"backfillParams": parameters})["data"]
    backfill_id = answer["launchPartitionBackfill"]["backfillId"]
    read = world.instance.get_backfill(backfill_id)
    assert read is not None

    def daemon() -> None:
        eventually(lambda: _status(world, backfill_id) is BulkActionStatus.CANCELING)
        world.instance.update_backfill(read)

    with ThreadPoolExecutor(1) as pool:
        wrote = pool.submit(daemon)
        done = world.mutate("operator", "cancelPartitionBackfill", {"backfillId": backfill_id})
        wrote.result(30)
    assert done["data"]["cancelPartitionBackfill"]["__typename"] == "CancelBackfillSuccess"
    assert _status(world, backfill_id) is BulkActionStatus.CANCELING


def _status(world: World, backfill_id: str) -> BulkActionStatus | None:
    backfill = world.instance.get_backfill(backfill_id)
    return backfill.status if backfill else None
