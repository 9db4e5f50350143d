"""Publishers share the sweep lock, a sweep has it alone, and the kernel frees it with its holder."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_platform.errors import LockBusyError
from data_platform.warehouse.sweep_lock import SweepLock

HOLDER = """
import sys, time
from pathlib import Path
from data_platform.warehouse.sweep_lock import SweepLock
with getattr(SweepLock(Path(sys.argv[1])), sys.argv[2])():
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def _holder(root: Path, kind: str, seconds: float = 60) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(root), kind, str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_publishers_share_it_and_keep_a_sweep_out(tmp_path: Path) -> None:
    holder = _holder(tmp_path, "shared")
    lock = SweepLock(tmp_path)
    with lock.shared():
        pass
    with pytest.raises(LockBusyError, match="nothing was done") as caught, lock.exclusive(wait_seconds=0.2):
        pytest.fail("a sweep ran beside a publisher")
    assert caught.value.exit_code == 7
    holder.kill()
    holder.communicate()
    with lock.exclusive(wait_seconds=0.2):
        pass


def test_a_publisher_waits_for_the_sweep_to_end(tmp_path: Path) -> None:
    holder = _holder(tmp_path, "exclusive", 0.5)
    started = time.monotonic()
    with SweepLock(tmp_path).shared():
        assert time.monotonic() - started > 0.3
    holder.communicate()
