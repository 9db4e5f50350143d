"""Runs that no request launches: whose they are, and what becomes of them when their owner may no longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest
from dagster._core.utils import make_new_run_id
from dagster._core.workspace.context import WorkspaceRequestContext

from data_platform.errors import NotPermittedError, PlatformError
from data_platform.records import users
from data_platform_tests.orchestration.webserver.world import SYSTEM, World

USER = "data_platform/user"


def daemons(world: World, source: object | None = None) -> WorkspaceRequestContext:
    """The context that Dagster's daemon submits with; with a source, that of a webserver which is not ours."""
    return WorkspaceRequestContext(
        instance=world.instance,
        current_workspace=world.process.get_current_workspace(),
        process_context=world.process,
        version="",
        source=source,
        read_only=False,
    )


def submit(world: World, source: object | None = None, parent: str | None = None, **tags: str) -> dg.DagsterRun:
    """A run of crsp_daily as the daemon creates it, submitted."""
    world.launch("admin", "crsp_daily", partition="2019", reason="a pattern")
    pattern = world.instance.get_runs(limit=1)[0]
    fresh = pattern._replace(
        run_id=make_new_run_id(),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={**tags, "dagster/partition": "2020"},
        run_config={},
        parent_run_id=parent,
        root_run_id=parent,
    )
    run = world.instance.run_storage.add_run(fresh)
    world.instance.submit_run(run.run_id, daemons(world, source))
    return world.instance.get_run_by_id(run.run_id) or run


def backfill(world: World, person: str) -> str:
    parameters = {"assetSelection": [{"path": ["crsp_daily"]}], "partitionNames": ["2020"], "title": "history"}
    answer = world.mutate(person, "launchPartitionBackfill", {"backfillParams": parameters})
    world.forget_limits()
    return str(answer["data"]["launchPartitionBackfill"]["backfillId"])


@contextmanager
def without(world: World, person: str, what: str) -> Iterator[None]:
    """Somebody whose account is closed, or who has lost a permission, for the length of the block."""
    with world.records.transaction(SYSTEM) as connection:
        users.disable(connection, person) if what == "account" else users.revoke(connection, person, what)
    try:
        yield
    finally:
        with world.records.transaction(SYSTEM) as connection:
            users.disable(connection, person, disabled=False) if what == "account" else users.grant(
                connection, person, what
            )


def test_a_backfills_runs_carry_the_name_of_whoever_launched_it_and_need_no_reason(world: World) -> None:
    run = submit(world, **{"dagster/backfill": backfill(world, "operator"), USER: "admin"})
    assert (run.tags[USER], run.status) == ("operator", dg.DagsterRunStatus.QUEUED)
    # A backfill counts once: the next of its runs is not held up.
    world.forget_limits()
    again = submit(world, **{"dagster/backfill": run.tags["dagster/backfill"]})
    assert again.status is dg.DagsterRunStatus.QUEUED


@pytest.mark.parametrize("what", ["account", "dataset:crsp", "trigger:data_sync"])
def test_a_backfill_that_waits_ends_with_what_its_owner_has_lost(world: World, what: str) -> None:
    waiting = backfill(world, "operator")
    with without(world, "operator", what):
        run = submit(world, **{"dagster/backfill": waiting})
    assert (run.tags[USER], run.status) == ("operator", dg.DagsterRunStatus.FAILURE)
    records = world.instance.get_records_for_run(run.run_id).records
    events = [str(record.event_log_entry.get_dagster_event().message) for record in records]
    expected = "User operator is disabled." if what == "account" else f"Access to crsp requires {what}"
    assert any(expected in event for event in events), events
    (entry, *_) = world.audit("sync.refused")
    assert (entry.actor, entry.subject) == ("operator", "crsp_daily")


@pytest.mark.parametrize("tag", ["dagster/schedule_name", "dagster/sensor_name"])
def test_runs_of_schedules_and_sensors_are_the_platforms(world: World, tag: str) -> None:
    run = submit(world, **{tag: "nightly", USER: "admin"})
    assert (run.tags[USER], run.status) == ("system:nightly", dg.DagsterRunStatus.QUEUED)


def test_a_backfills_own_tags_make_it_no_part_of_the_platform(world: World) -> None:
    run = submit(world, **{"dagster/backfill": backfill(world, "operator"), "dagster/schedule_name": "nightly"})
    assert run.tags[USER] == "operator"


def test_a_retry_by_the_daemon_is_of_whoever_launched_the_first_run(world: World) -> None:
    first = world.launch("operator", "crsp_daily", partition="2018", reason="first")["run"]["runId"]
    world.forget_limits()
    run = submit(world, parent=first, **{"dagster/retry_number": "1", USER: "admin"})
    assert run.tags[USER] == "operator"


def test_a_backfill_that_nobody_can_be_named_for_runs_nothing(world: World) -> None:
    run = submit(world, **{"dagster/backfill": "no_such"})
    assert (run.tags[USER], run.status) == ("unknown", dg.DagsterRunStatus.FAILURE)


def test_a_webserver_that_does_not_know_who_asks_launches_nothing(world: World) -> None:
    with pytest.raises(NotPermittedError, match="does not know who asks"):
        submit(world, source=object(), **{USER: "admin"})
    assert world.instance.get_runs(limit=1)[0].tags[USER] == "unknown"


def test_dagsters_own_command_line_meets_the_rules_too(world: World) -> None:
    with pytest.raises(PlatformError, match="needs a reason"):
        submit(world)
    assert world.instance.get_runs(limit=1)[0].tags[USER].startswith("local:")
