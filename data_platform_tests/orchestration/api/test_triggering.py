"""A sync that is ordered over HTTP is one run in the queue in its user's name, and was let in exactly once."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from data_platform.client.connection import Client
from data_platform.errors import LockBusyError, NotPermittedError, RateLimitedError, UsageError
from data_platform.orchestration.webserver.context import GovernedRequestContext
from data_platform_tests.orchestration.api.served import Served
from data_platform_tests.orchestration.webserver.world import World, execution

ORDER = {"table": "crsp_daily", "partitions": ["2023", "2024"], "reason": "restated"}


def run_of(world: World, run_id: str) -> dg.DagsterRun:
    run = world.instance.get_run_by_id(run_id)
    assert run is not None
    return run


def test_an_order_is_a_queued_run_with_its_user_reason_and_partitions(served: Served) -> None:
    before = len(served.world.audit("sync.launch"))
    with served.http("operator") as http:
        answer = http.post("sync/crsp/trigger", json={**ORDER, "full": True})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    run = run_of(served.world, job["run_id"])
    assert run.status is dg.DagsterRunStatus.QUEUED
    assert run.asset_selection == {dg.AssetKey("crsp_daily")}
    assert run.tags["data_platform/user"] == job["requested_by"] == "operator"
    assert run.tags["data_platform/reason"] == "restated"
    assert (run.tags["dagster/asset_partition_range_start"], run.tags["dagster/asset_partition_range_end"]) == (
        "2023",
        "2024",
    )
    config: Any = run.run_config
    assert config["ops"]["sync_crsp_daily"]["config"] == {"full": True, "reason": "restated"}
    # Once: an order that was let in twice would have been refused by the limit of one a minute.
    (entry, *_) = served.world.audit("sync.launch")
    assert len(served.world.audit("sync.launch")) == before + 1
    assert (entry.actor, entry.reason, entry.client_ip) == ("operator", "restated", "127.0.0.1")
    assert served.world.audit("sync.refused") == [] or served.world.audit("sync.refused")[0].id < entry.id


def test_partitions_apart_are_several_runs_of_one_order(served: Served) -> None:
    with served.http("operator") as http:
        answer = http.post("sync/crsp/trigger", json={**ORDER, "partitions": ["2020", "2024"]})
    assert answer.status_code == 202, answer.text
    queued = served.world.instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    assert {run.tags["dagster/partition"] for run in queued} == {"2020", "2024"}


def test_a_table_kept_whole_and_the_usual_partitions_can_be_ordered(served: Served) -> None:
    with served.client("operator") as client:
        run = run_of(served.world, client.trigger_sync("fama_french", "ff_factors_daily", "new month")["run_id"])
        assert "dagster/partition" not in run.tags
        served.world.forget_limits()
        every = client.trigger_sync("crsp", "crsp_daily", "all of it", all_partitions=True)
    assert every["partitions"][0] == "2000"
    assert len(every["partitions"]) > 20


def test_the_rules_of_manual_syncs_hold(served: Served) -> None:
    with served.client("operator") as client, served.client("analyst") as analyst:
        with pytest.raises(UsageError, match="needs a reason"):
            client.trigger_sync("crsp", "crsp_daily", "  ")
        with pytest.raises(NotPermittedError, match="trigger:data_sync"):
            analyst.trigger_sync("crsp", "crsp_daily", "please")
        with pytest.raises(UsageError, match="no table"):
            client.trigger_sync("fama_french", "crsp_daily", "please")
        client.trigger_sync("crsp", "crsp_daily", "first", partitions=["2024"])
        with pytest.raises(RateLimitedError, match="Please wait") as refused:
            client.trigger_sync("crsp", "crsp_monthly", "second", partitions=["2024"])
        assert refused.value.retry_after_seconds > 0
        served.world.forget_limits()
        with pytest.raises(LockBusyError, match="syncing already") as busy:
            client.trigger_sync("crsp", "crsp_daily", "third", partitions=["2024"])
        assert busy.value.exit_code == 7


def test_nobody_outside_can_say_that_a_launch_was_let_in_already(served: Served) -> None:
    forged = {"data_platform/admitted": "true", "admitted": "crsp_daily"}
    first = served.world.launch("operator", "crsp_daily", reason="mine", **forged)
    assert first["__typename"] == "LaunchRunSuccess"
    second = served.world.launch("operator", "crsp_daily", "2023", reason="mine too", **forged)
    assert "Please wait" in second["message"]


def test_a_context_lets_in_what_it_was_told_to_and_nothing_else(served: Served) -> None:
    context = served.world.process.create_request_context()
    assert isinstance(context, GovernedRequestContext)
    with context.admitting(("crsp_daily", ("2024",))):
        assert context.has_admitted(("crsp_daily", ("2024",)))
        assert not context.has_admitted(("crsp_daily", ("2023",)))
        assert not context.has_admitted(("crsp_monthly", ("2024",)))
    assert not context.has_admitted(("crsp_daily", ("2024",)))


def test_a_launch_in_the_ui_right_after_an_order_is_counted(served: Served) -> None:
    with served.client("operator") as client:
        assert isinstance(client, Client)
        client.trigger_sync("crsp", "crsp_daily", "first", partitions=["2024"])
    answer = served.world.mutate(
        "operator", "launchRun", {"executionParams": execution("crsp_daily", "2023", reason="second")}
    )
    assert "Please wait" in answer["data"]["launchRun"]["message"]
