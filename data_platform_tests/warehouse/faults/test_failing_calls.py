"""A full or broken disk at every single call that writes: a clear error, nothing half-written, the lock free."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from data_platform_tests.warehouse.faults.aftermath import leftovers, observe, require_sound
from data_platform_tests.warehouse.faults.child import DONE
from data_platform_tests.warehouse.faults.scenarios import REPLACE, SCENARIOS, Scenario, and_hold_no_lock
from data_platform_tests.warehouse.faults.strace import Call, fail, require_strace, trace

WRITING: Final = frozenset({"write", "pwrite64", "fsync", "fdatasync", "link", "linkat", "mkdir", "mkdirat"})
ANSWERS: Final = {"ENOSPC": {DONE, "DiskSpaceError"}, "EDQUOT": {DONE, "DiskSpaceError"}, "EIO": {DONE, "OSError"}}


def can_run_out_of_space(call: Call) -> bool:
    """Whether this call asks the disk for room, or for what was written to be kept."""
    return call.name in WRITING or (call.name == "openat" and "O_CREAT" in call.arguments)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_full_disk_at_any_call_is_a_clear_error(scenario: Scenario, tmp_path: Path) -> None:
    _fail_every_call(scenario, "ENOSPC", tmp_path)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@pytest.mark.parametrize("error", ["EIO", "EDQUOT"])
def test_a_broken_disk_at_any_call_leaves_nothing_half_done(
    scenario: Scenario, error: str, tmp_path: Path, torture: bool
) -> None:
    if not torture and scenario is not REPLACE:
        pytest.skip("with --torture only")
    _fail_every_call(scenario, error, tmp_path)


def _fail_every_call(scenario: Scenario, error: str, folder: Path) -> None:
    require_strace()
    template, clean, root = folder / "template", folder / "clean", folder / "struck"
    scenario.prepare(template)
    before = observe(template)
    shutil.copytree(template, clean)
    calls, _ = trace(scenario.operation, clean, folder / "strace.log")
    after = observe(clean)
    chosen = [call for call in calls if can_run_out_of_space(call)]
    assert chosen
    wrong: list[str] = []
    operation = partial(and_hold_no_lock, scenario.operation)
    for call in chosen:
        shutil.copytree(template, root)
        answer = fail(operation, root, call, error).acknowledgement
        if answer not in ANSWERS[error]:
            wrong.append(f"{call}: {answer}")
        # When the folder's flush fails after the commit, the version is there and its durability is not known.
        if observe(root) not in ((after,) if answer == DONE else (before, after)):
            wrong.append(f"{call}: {answer}, but neither the state before nor after")
        wrong += [f"{call}: {name} is left over" for name in leftovers(root) - leftovers(template)]
        require_sound(root)
        shutil.rmtree(root)
    assert wrong == [], f"{error} at {len(chosen)} calls: {len(wrong)} findings"
