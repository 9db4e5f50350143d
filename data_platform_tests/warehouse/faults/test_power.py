"""The power goes at any step of a commit: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from data_platform_tests.warehouse.faults.aftermath import Visible, observe, require_sound
from data_platform_tests.warehouse.faults.child import DONE, Operation, child
from data_platform_tests.warehouse.faults.scenarios import PUBLISH_FIRST, REPLACE, RETENTION, TAG, Scenario
from data_platform_tests.warehouse.faults.strace import Call, kill, require_strace, trace
from data_platform_tests.warehouse.faults.volume import Lost, Volume, volume
from data_platform_tests.warehouse.faults.weak import without_fsync

CUTS: Final = 8
COMMITS: Final = (PUBLISH_FIRST, REPLACE, TAG)
STEPS: Final = (*COMMITS, RETENTION)


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Volume]:
    with volume(request.param, tmp_path_factory.mktemp("disk")) as made:
        yield made


@pytest.mark.parametrize("scenario", STEPS, ids=str)
def test_a_power_cut_at_any_call_leaves_the_state_before_or_after(
    scenario: Scenario, disk: Volume, tmp_path: Path, torture: bool, dice: random.Random
) -> None:
    require_strace()
    before, after, calls = _expected(scenario, tmp_path)
    chosen = calls if torture else dice.sample(calls, CUTS)
    for call in chosen:
        for lost in Lost if torture else [dice.choice(list(Lost))]:
            root = disk.folder / f"{scenario}-{call.name}-{call.nth}-{lost.name}"
            scenario.prepare(root)
            struck = kill(scenario.operation, root, call)
            disk.cut_power(lost)
            assert struck.killed
            assert observe(root) in (before, after), f"killed at {call}, lost {lost.name}"
            require_sound(root)


@pytest.mark.parametrize("lost", Lost)
@pytest.mark.parametrize("scenario", STEPS, ids=str)
def test_what_was_acknowledged_survives_a_power_cut(
    scenario: Scenario, lost: Lost, disk: Volume, tmp_path: Path
) -> None:
    _, after, _ = _expected(scenario, tmp_path)
    root = disk.folder / f"{scenario}-acknowledged-{lost.name}"
    scenario.prepare(root)
    assert _cut_after_acknowledgement(scenario.operation, root, disk, lost) == DONE
    assert observe(root) == after
    require_sound(root)


@pytest.mark.parametrize("scenario", COMMITS, ids=str)
def test_without_fsync_the_cut_takes_what_was_acknowledged(scenario: Scenario, disk: Volume, tmp_path: Path) -> None:
    """The harness on trial: had the store no fsync, the test above would fail."""
    _, after, _ = _expected(scenario, tmp_path)
    root = disk.folder / f"{scenario}-careless"
    scenario.prepare(root)
    operation = partial(without_fsync, scenario.operation)
    assert _cut_after_acknowledgement(operation, root, disk, Lost.EVERYTHING) == DONE
    try:
        seen = observe(root)
    except Exception as error:  # noqa: BLE001 - unreadable is as lost as absent
        seen = error
    assert seen != after


def _cut_after_acknowledgement(operation: Operation, root: Path, disk: Volume, lost: Lost) -> str | None:
    with child(operation, root) as process:
        process.begin()
        acknowledged = process.acknowledgement()
        disk.cut_power(lost)
    return acknowledged


def _expected(scenario: Scenario, folder: Path) -> tuple[Visible, Visible, list[Call]]:
    root = folder / "clean"
    scenario.prepare(root)
    before = observe(root)
    calls, _ = trace(scenario.operation, root, folder / "strace.log")
    return before, observe(root), calls
