"""No name is published before its file is fsynced, nor acknowledged before its folder is."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from data_platform_tests.warehouse.faults.child import DONE
from data_platform_tests.warehouse.faults.lint import breaches, names_given
from data_platform_tests.warehouse.faults.scenarios import REPLACE, SCENARIOS, Scenario
from data_platform_tests.warehouse.faults.strace import parse, require_strace, trace
from data_platform_tests.warehouse.faults.weak import without_fsync

NAMES = {
    "publish_first": ["blobs/", "tables/crsp_daily/schema/v1.0.0.json", "tables/crsp_daily/versions/00000001.json"],
    "replace_partition": ["blobs/", "tables/crsp_daily/versions/00000003.json"],
    "tag": ["snapshots/second.json"],
    "rollback": ["tables/crsp_daily/versions/00000003.json"],
    "retention": ["deltas/", "trash/"],
    "quarantine": ["quarantine/crsp_daily/"],
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_every_name_is_durable_before_it_is_acknowledged(scenario: Scenario, tmp_path: Path) -> None:
    require_strace()
    root = tmp_path / "warehouse"
    scenario.prepare(root)
    calls, acknowledged = trace(scenario.operation, root, tmp_path / "strace.log")
    assert acknowledged == DONE
    assert breaches(calls, root) == []
    given = names_given(calls, root)
    for name in NAMES.get(scenario.name, []):
        assert any(key.startswith(name) for key in given), f"the trace shows no {name}"


def test_a_store_without_fsync_is_found_out(tmp_path: Path) -> None:
    """The harness on trial: the lint names each object that was published without a flush."""
    require_strace()
    root = tmp_path / "warehouse"
    REPLACE.prepare(root)
    calls, acknowledged = trace(partial(without_fsync, REPLACE.operation), root, tmp_path / "strace.log")
    assert acknowledged == DONE
    found = breaches(calls, root)
    for name in ("blobs/", "tables/crsp_daily/versions/00000003.json"):
        assert any(f"{root}/{name}" in breach and "named before its content" in breach for breach in found)
        assert any(f"{root}/{name}" in breach and "acknowledged before" in breach for breach in found)


SOUND = (
    'write(4</w/t/.tmp-1>, "x", 1) = 1',
    "fsync(4</w/t/.tmp-1>) = 0",
    'link("/w/t/.tmp-1", "/w/t/1.json") = 0',
    "fsync(5</w/t>) = 0",
)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (SOUND, []),
        ((SOUND[0], *SOUND[2:]), ["/w/t/1.json was named before its content was flushed"]),
        ((*SOUND[1:3], SOUND[0], SOUND[3]), []),
        ((SOUND[1], SOUND[0], *SOUND[2:]), ["/w/t/1.json was named before its content was flushed"]),
        (SOUND[:3], ["/w/t/1.json was acknowledged before /w/t was flushed"]),
        ((*SOUND[:2], SOUND[3], SOUND[2]), ["/w/t/1.json was acknowledged before /w/t was flushed"]),
        (("fsync(4</w/t/.tmp-1>) = -1 EIO (Input/output error)", SOUND[0], *SOUND[2:]), None),
        (('rename("/w/tables/t/.tmp-1", "/w/tables/t/latest") = 0',), []),
        (('mkdir("/w/t", 0700) = 0',), ["/w/t was acknowledged before /w was flushed"]),
        (('linkat(AT_FDCWD</w/t>, ".tmp-1", 5</w/t>, "1.json", 0) = 0',), None),
    ],
)
def test_the_lint_sees_a_missing_or_misplaced_flush(lines: tuple[str, ...], found: list[str] | None) -> None:
    seen = breaches(parse(lines), Path("/w"))
    assert seen == found if found is not None else seen
