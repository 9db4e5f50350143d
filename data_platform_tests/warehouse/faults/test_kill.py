"""kill -9 at every system call of every operation, one process for each call.

Between two calls that change nothing a kill leaves the same as after them, so the short run strikes only at calls that
do; the long run strikes at all of them.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from data_platform.errors import ChecksumMismatchError
from data_platform_tests.warehouse.faults.aftermath import observe, require_sound
from data_platform_tests.warehouse.faults.child import DONE, Operation
from data_platform_tests.warehouse.faults.scenarios import REPLACE, SCENARIOS, Scenario
from data_platform_tests.warehouse.faults.strace import changes_something, kill, require_strace, trace
from data_platform_tests.warehouse.faults.weak import in_place


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_killed_at_any_call_it_leaves_the_state_before_or_after(
    scenario: Scenario, tmp_path: Path, torture: bool
) -> None:
    require_strace()
    counted, hit = _kill_everywhere(scenario.prepare, scenario.operation, tmp_path, every_call=torture)
    assert counted > 1
    assert hit == counted, f"of {counted} boundaries only {hit} were hit"


def test_a_store_that_writes_in_place_is_found_out(tmp_path: Path) -> None:
    """The harness on trial: without a temporary name, some kill leaves half a manifest."""
    require_strace()
    with pytest.raises(ChecksumMismatchError, match=r"version 3 is damaged|schema file"):
        _kill_everywhere(REPLACE.prepare, partial(in_place, REPLACE.operation), tmp_path, every_call=False)


def _kill_everywhere(prepare: Operation, operation: Operation, folder: Path, *, every_call: bool) -> tuple[int, int]:
    """Kill the operation at each boundary and look at what is left; how many there are, and how many were hit."""
    template, clean, root = folder / "template", folder / "clean", folder / "struck"
    prepare(template)
    before = observe(template)
    shutil.copytree(template, clean)
    calls, acknowledged = trace(operation, clean, folder / "strace.log")
    assert acknowledged == DONE
    after = observe(clean)
    require_sound(clean)
    boundaries = [call for call in calls if every_call or changes_something(call)]
    hit = 0
    for call in boundaries:
        # Hard links come apart, as they do once a writer's staging is cleared.
        shutil.copytree(template, root)
        struck = kill(operation, root, call)
        hit += struck.killed
        allowed = (after,) if struck.acknowledgement == DONE else (before, after)
        assert observe(root) in allowed, f"killed at {call}"
        require_sound(root)
        shutil.rmtree(root)
    return len(boundaries), hit
