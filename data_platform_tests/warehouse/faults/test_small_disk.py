"""A disk that is really full, and files that may not grow: a clear error, and all is well when there is room again."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from data_platform_tests.warehouse.faults.aftermath import leftovers, observe, require_sound
from data_platform_tests.warehouse.faults.child import DONE, child
from data_platform_tests.warehouse.faults.scenarios import (
    and_hold_no_lock,
    replace_partition,
    set_aside,
    tag,
    two_versions,
)
from data_platform_tests.warehouse.faults.volume import small_volume

OPERATIONS = [replace_partition, tag, set_aside]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_full_disk_is_a_clear_error_and_recovers(operation: Callable[[Path], None], tmp_path: Path) -> None:
    answers: list[str | None] = []
    with small_volume(tmp_path / "small", size=512 * 1024) as folder:
        root = folder / "warehouse"
        two_versions(root)
        before = observe(root)
        page = os.statvfs(folder).f_frsize
        filler = folder / "filler"
        while DONE not in answers:
            left_free = len(answers)
            filler.write_bytes(bytes((os.statvfs(folder).f_bavail - left_free) * page))
            answers.append(_answer(operation, root))
            if answers[-1] != DONE:
                assert observe(root) == before, f"{left_free} pages free"
            assert leftovers(root) == set(), f"{left_free} pages free"
            filler.unlink()
        require_sound(root)
    assert answers[0] == "DiskSpaceError"
    assert set(answers) == {"DiskSpaceError", DONE}


@pytest.mark.parametrize("limit", [1, 64, 300, 600, 1000])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_file_size_limit_is_a_clear_error(operation: Callable[[Path], None], limit: int, tmp_path: Path) -> None:
    root = tmp_path / "warehouse"
    two_versions(root)
    before = observe(root)
    answer = _answer(partial(_limited, limit, operation), root)
    assert answer == ("DiskSpaceError" if limit < 300 else answer)
    assert answer in {"DiskSpaceError", DONE}
    assert answer == DONE or observe(root) == before
    assert leftovers(root) == set()
    require_sound(root)


def _limited(limit: int, operation: Callable[[Path], None], root: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    operation(root)


def _answer(operation: Callable[[Path], None], root: Path) -> str | None:
    with child(partial(and_hold_no_lock, operation), root) as process:
        process.begin()
        return process.acknowledgement()
