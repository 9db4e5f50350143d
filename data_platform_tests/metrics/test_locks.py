"""A lock that is taken from a dead writer, or released by hand, is counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from data_platform.warehouse.lock import TableLock
from data_platform_tests.metrics.figures import figures, risen
from data_platform_tests.warehouse.test_lock import HOLDER


def test_recovered_locks_are_counted(counting_home: Path) -> None:
    lock = TableLock(counting_home / "locks", "t")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(counting_home / "locks")], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip()
        writer.kill()
    with lock.acquire() as held:
        found = figures(counting_home)
        assert risen({}, found) == {("data_lock_recoveries_total", "dead_writer"): 1, ("data_metrics_readable",): 1}
        lock.force_release(held.token.writer_id)
    assert risen(found, figures(counting_home)) == {("data_lock_recoveries_total", "by_hand"): 1}
    with lock.acquire():
        pass
    assert figures(counting_home)[("data_lock_recoveries_total", "dead_writer")] == 1
