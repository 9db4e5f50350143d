"""Replaying audited queries on the versions that they read."""

from __future__ import annotations

import datetime as dt

import pytest

from data_platform.errors import NotPermittedError, UsageError
from data_platform.governance.dto import ReplayDTO
from data_platform.governance.explorer.replaying import judge
from data_platform.governance.permissions import Role
from data_platform.records.query_audit import ResultHash
from data_platform.warehouse.layout import blob
from data_platform.warehouse.retention.applying import apply_retention
from data_platform_tests.governance.explorer.conftest import ADMIN, World
from data_platform_tests.governance.market import crsp_rows, publish

MEANS = "SELECT permno, avg(ret) AS mean, count(*) AS n FROM crsp_daily WHERE permno <> $p GROUP BY permno"


def replayed(world: World, query_id: int) -> ReplayDTO:
    return world.service.replay(ADMIN, query_id)


def test_a_query_is_replayed_on_the_version_that_it_read_even_when_that_was_dropped(world: World) -> None:
    ann = world.person("ann")
    # Large enough for a delta to be smaller than the file.
    history = crsp_rows(days=2_000, start=dt.date(2010, 1, 1))
    publish(world.warehouse, "crsp", "crsp_daily", "2010", history)
    then = world.service.execute_query(ann, "crsp", MEANS, parameters={"p": 10001})
    dropped = world.warehouse.reader("crsp_daily").pin(3).manifest.file("2010")
    assert dropped is not None
    (world.warehouse.staging_root / "test" / "crsp_daily-2010.parquet").unlink()
    publish(world.warehouse, "crsp", "crsp_daily", "2010", history.slice(0, 9_990))
    apply_retention(world.warehouse, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=100))
    assert not world.warehouse.store.exists(blob(dropped.sha256))
    found = replayed(world, then.dto.query_id)
    assert (found.verdict, found.versions, found.page_rows_then, found.rows_compared) == (
        "same",
        {"crsp_daily": 3},
        4,
        4,
    )
    assert found.sha256_then == found.sha256_now
    latest = world.service.execute_query(ann, "crsp", MEANS, parameters={"p": 10001})
    assert replayed(world, latest.dto.query_id).sha256_then != found.sha256_then
    # By the id of its outcome, too, which is the next row of the audit.
    assert replayed(world, then.dto.query_id + 1).query_id == then.dto.query_id
    entries = world.actions("adm", "audit.replay")
    assert [(entry.subject, (entry.new_value or {})["verdict"]) for entry in entries] == [
        (str(then.dto.query_id), "same"), (str(latest.dto.query_id), "same"), (str(then.dto.query_id), "same"),
    ]  # fmt: skip
    assert {row.kind for row in world.audited("adm")} == {"replay"}
    assert "10002" not in repr(found)


def test_a_result_that_was_another_is_told(world: World) -> None:
    ben = world.person("ben")
    query_id = world.service.execute_query(ben, "crsp", "SELECT max(prc) FROM crsp_daily").dto.query_id
    assert replayed(world, query_id).verdict == "same"
    before = world.audited("ben")[1].result_sha256
    change = "UPDATE platform.data_query_audit SET result_sha256 = %s WHERE attempt_id = %s"
    world.installation.tamper(change, "0" * 64, query_id)
    assert (replayed(world, query_id).verdict, world.holds()) == ("differs", False)
    world.installation.tamper(change, before, query_id)
    assert world.holds()


@pytest.mark.parametrize("sql", ["SELECT random() AS r", "SELECT now() AS n", "SELECT uuid() AS u"])
def test_nobody_can_tell_of_what_is_another_each_time(world: World, sql: str) -> None:
    name = f"cat{len(sql)}{sql[7]}"
    query_id = world.service.execute_query(world.person(name), "crsp", sql).dto.query_id
    found = replayed(world, query_id)
    assert found.verdict == "unknown"
    assert "it asks for" in found.reason


def test_a_query_that_was_archived_is_replayed_too(world: World) -> None:
    dan = world.person("dan", Role.OPERATOR)
    query_id = world.service.execute_query(dan, "crsp", MEANS, parameters={"p": 10003}).dto.query_id
    export = world.service.export_data(dan, "crsp", "SELECT date, permno FROM crsp_daily ORDER BY date, permno")
    world.service.dry_run(dan, "crsp", "SELECT 1")
    world.installation.age()
    assert world.installation.count("data_query_audit") == 0
    assert [replayed(world, number).verdict for number in (query_id, export.query_id, query_id + 1)] == ["same"] * 3
    with pytest.raises(UsageError, match="was not answered with rows"):
        replayed(world, export.query_id + 2)


def test_only_administrators_replay_and_only_what_was_answered(world: World) -> None:
    eve = world.person("eve")
    with pytest.raises(UsageError):
        world.service.execute_query(eve, "crsp", "SELECT nocol FROM crsp_daily")
    failed = world.audited("eve")[0].id
    with pytest.raises(UsageError, match="was not answered with rows"):
        replayed(world, failed)
    with pytest.raises(UsageError, match="no audited query 999999"):
        replayed(world, 999_999)
    with pytest.raises(NotPermittedError, match="requires the role admin"):
        world.service.replay(eve, failed)


A, B = ResultHash("a" * 64), ResultHash("b" * 64)


@pytest.mark.parametrize(
    ("then", "now", "unsteady", "whole", "verdict"),
    [
        (A, A, None, True, "same"),
        (A, A, "it takes a sample", False, "same"),
        (A, B, None, True, "differs"),
        (A, B, "it takes a sample", True, "unknown"),
        (A, B, None, False, "unknown"),
        (None, A, None, True, "unknown"),
        (A, None, None, True, "unknown"),
        (ResultHash("a" * 64, "c" * 64), ResultHash("a" * 64, "c" * 64), None, True, "same"),
        (ResultHash("a" * 64, "c" * 64), ResultHash("a" * 64, "d" * 64), None, True, "unknown"),
        (ResultHash("a" * 64, "c" * 64), ResultHash("b" * 64, "d" * 64), None, True, "differs"),
    ],
)
def test_the_verdict(
    then: ResultHash | None, now: ResultHash | None, unsteady: str | None, whole: bool, verdict: str
) -> None:
    assert judge(then, now, unsteady, whole=whole)[0] == verdict
