"""The table lock: the kernel proves owners dead, publishing is fenced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import Fenced, LockBusyError, UsageError
from data_platform.warehouse.lock import TableLock

HOLDER = """
import sys, time
from pathlib import Path
from data_platform.warehouse.lock import TableLock
held = TableLock(Path(sys.argv[1]), "t").acquire()
print(held.token.writer_id, flush=True)
time.sleep(60)
"""


@pytest.fixture
def lock(tmp_path: Path) -> TableLock:
    return TableLock(tmp_path, "t")


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    yield process  # type: ignore[misc]
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_living_owner_is_busy_and_named(lock: TableLock, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockBusyError, match=f"process {holder.pid}") as caught:
        lock.acquire()
    assert caught.value.exit_code == 7
    state = lock.state()
    assert state is not None
    assert state.alive


def test_a_stopped_owner_still_lives(lock: TableLock, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(LockBusyError):
        lock.acquire()
    holder.send_signal(signal.SIGCONT)


def test_a_killed_owner_is_succeeded_at_once(lock: TableLock, holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.kill()
    holder.wait()
    state = lock.state()
    assert state is not None
    assert not state.alive
    with lock.acquire() as held:
        assert held.token.pid == os.getpid()
        assert held.token.epoch == 2
    assert len(list((tmp_path / "stale").iterdir())) == 1
    assert lock.state() is None


def test_waiting_ends_when_the_owner_dies(lock: TableLock, holder: subprocess.Popen[str]) -> None:
    started = time.monotonic()
    subprocess.Popen(["/bin/sh", "-c", f"sleep 0.5; kill -9 {holder.pid}"]).wait()
    holder.wait()
    with lock.acquire(wait_seconds=10):
        assert time.monotonic() - started < 9


def _torn(_: bytes) -> bytes:
    return b'{"pid": 12'


def _empty(_: bytes) -> bytes:
    return b""


def _extra(content: bytes) -> bytes:
    return json.dumps({**json.loads(content), "surprise": 1}).encode()


def _missing(content: bytes) -> bytes:
    return json.dumps({k: v for k, v in json.loads(content).items() if k != "epoch"}).encode()


@pytest.mark.parametrize("damage", [_torn, _empty, _extra, _missing])
def test_a_dead_owners_malformed_lock_recovers(
    lock: TableLock, holder: subprocess.Popen[str], damage: Callable[[bytes], bytes]
) -> None:
    holder.kill()
    holder.wait()
    lock.path.write_bytes(damage(lock.path.read_bytes()))
    with lock.acquire() as held:
        assert held.token.pid == os.getpid()


def _rewrite(lock: TableLock, **changes: str) -> str:
    content = {**json.loads(lock.path.read_bytes()), **changes}
    lock.path.write_text(json.dumps(content))
    return str(content["writer_id"])


def test_another_hosts_lock_is_never_broken_but_by_hand(lock: TableLock, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    writer = _rewrite(lock, hostname="elsewhere", boot_id="another boot")
    with pytest.raises(LockBusyError, match="another host"):
        lock.acquire()
    with pytest.raises(UsageError, match="is not locked by a writer 'nope'"):
        lock.force_release("nope")
    assert lock.force_release(writer).hostname == "elsewhere"
    with lock.acquire() as held:
        assert held.token.epoch == 2


def test_a_renamed_host_is_still_this_kernel(lock: TableLock, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    _rewrite(lock, hostname="the-container-before")
    with lock.acquire() as held:
        assert held.token.pid == os.getpid()


def test_a_forced_release_fences_the_living_owner(lock: TableLock) -> None:
    held = lock.acquire()
    lock.force_release(held.token.writer_id)
    with pytest.raises(Fenced), held.guarded():
        pytest.fail("a writer without its lock published")
    held.release()


def test_publishing_without_the_lock_is_fenced(lock: TableLock) -> None:
    held = lock.acquire()
    lock.path.unlink()
    with pytest.raises(Fenced), held.guarded():
        pytest.fail("the guard let a writer without its lock through")
    held.release()


def test_a_successors_lock_fences_the_loser_and_survives_its_release(lock: TableLock) -> None:
    loser = lock.acquire()
    lock.path.rename(lock.path.with_suffix(".taken"))
    with lock.acquire() as winner:
        with pytest.raises(Fenced), loser.guarded():
            pytest.fail("two writers published")
        loser.release()
        with winner.guarded():
            pass


def test_an_epoch_never_falls_back(lock: TableLock) -> None:
    epochs = []
    for _ in range(3):
        with lock.acquire() as held:
            epochs.append(held.token.epoch)
    assert epochs == [1, 2, 3]


def test_a_forked_child_does_not_keep_the_lock_alive(lock: TableLock) -> None:
    held = lock.acquire()
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"!")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    held.forget()  # as if the owner had died: only the child could keep the descriptor open
    with lock.acquire() as successor:
        assert successor.token.epoch == 2
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_only_one_of_many_recovers_a_dead_lock(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.kill()
    holder.wait()
    program = """
import sys
from pathlib import Path
from data_platform.errors import LockBusyError
from data_platform.warehouse.lock import TableLock
try:
    held = TableLock(Path(sys.argv[1]), "t").acquire()
except LockBusyError:
    print("busy", flush=True)
else:
    print("won", flush=True)
    sys.stdin.read()
"""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = [racer.stdout.readline().strip() for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate()
    assert sorted(answers) == ["busy", "busy", "busy", "won"]


GUARDING = """
import sys, time
from pathlib import Path
from data_platform.warehouse.lock import TableLock
with TableLock(Path(sys.argv[1]), "t").guard():
    print("guarding", flush=True)
    time.sleep(600)
"""


def test_whoever_was_stopped_while_changing_the_lock_keeps_nobody_for_ever(
    lock: TableLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_platform.warehouse.lock.READER_SECONDS", 0.1)
    monkeypatch.setattr("data_platform.warehouse.lock.WRITER_SECONDS", 0.1)
    with (
        lock.acquire() as held,
        subprocess.Popen([sys.executable, "-c", GUARDING, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "guarding\n"
        try:
            state = lock.state()
            assert state is not None
            assert (state.alive, state.token) == (True, held.token)
            for changing in (lock.acquire, lambda: lock.force_release(held.token.writer_id), held.guarded):
                with pytest.raises(LockBusyError, match="a process that does not go on") as caught, changing():
                    pass
                assert "fuser t.guard" in str(caught.value.hint)
            # What was published is published.
            held.release()
        finally:
            other.kill()
    with lock.acquire():
        pass
