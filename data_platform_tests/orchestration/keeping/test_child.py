"""A real process that is started again when it ends, until it ends too often."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_platform.errors import PlatformError
from data_platform.orchestration.keeping.child import MOST_IN_A_ROW, STEADY_SECONDS, Child, pause_before_restart
from data_platform_tests.records.processes import eventually

SLEEPING = [sys.executable, "-c", "import time; time.sleep(600)"]


def ending(code: int, excused: Callable[[], str | None] = lambda: None) -> Child:
    return Child("The helper", [sys.executable, "-S", "-c", f"raise SystemExit({code})"], excused=excused)


def look_when_ended(child: Child, now: float) -> bool:
    process = child.process
    assert process is not None
    process.wait(60)
    return child.look(now)


@pytest.fixture
def sleeper() -> Iterator[Child]:
    child = Child("The sleeper", SLEEPING)
    child.look(0.0)
    yield child
    child.ask_to_stop()
    child.end(30)


def test_pauses_grow_to_half_a_minute() -> None:
    assert [pause_before_restart(ends) for ends in range(1, 9)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_killed_process_is_started_again_after_the_pause_and_not_before(sleeper: Child) -> None:
    first = sleeper.process
    assert first is not None
    assert sleeper.look(1.0)
    first.kill()
    assert not look_when_ended(sleeper, 10.0)
    assert sleeper.look(10.9)
    assert sleeper.process is None
    assert sleeper.look(11.0)
    assert sleeper.process is not None
    assert sleeper.process.pid != first.pid


def test_whoever_ends_too_often_in_a_row_is_given_up_with_one_clear_error() -> None:
    child, now = ending(1), 0.0
    for ends in range(1, MOST_IN_A_ROW + 1):
        child.look(now)
        assert not look_when_ended(child, now)
        now += pause_before_restart(ends)
    child.look(now)
    with pytest.raises(PlatformError, match=r"The helper ended by itself with exit code 1, for the 9th time in a row"):
        look_when_ended(child, now)


def test_whoever_lacks_what_it_needs_is_started_until_that_is_back_and_not_longer() -> None:
    away = [True]
    child, now = ending(1, lambda: "It is away." if away[0] else None), 0.0
    for ends in range(1, 2 * MOST_IN_A_ROW + 2):
        # Back while it ends for the last of these times: two more ends are forgiven.
        away[0] = ends <= 2 * MOST_IN_A_ROW - 1
        child.look(now)
        assert not look_when_ended(child, now)
        now += pause_before_restart(ends)
    child.look(now)
    with pytest.raises(PlatformError, match="for the 9th time in a row"):
        look_when_ended(child, now)


def test_whoever_lived_long_begins_with_the_shortest_pause_again() -> None:
    child, now = ending(1), 0.0
    for _ in range(2 * MOST_IN_A_ROW):
        child.look(now)
        now += STEADY_SECONDS
        assert not look_when_ended(child, now)
        now += pause_before_restart(1)
    child.look(now)
    assert child.process is not None
    child.process.wait(60)


def test_whoever_refuses_what_it_is_asked_is_not_asked_again() -> None:
    child = ending(2)
    child.look(0.0)
    with pytest.raises(PlatformError, match="The helper gave up"):
        look_when_ended(child, 1.0)


def test_a_process_that_does_not_stop_is_made_to() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    child = Child("The deaf", [sys.executable, "-S", "-c", deaf])
    child.look(0.0)
    process = child.process
    assert process is not None
    assert eventually(lambda: ignores(process.pid, signal.SIGTERM), 60)
    child.ask_to_stop()
    child.end(0.5)
    assert process.returncode == -signal.SIGKILL


def ignores(pid: int, number: signal.Signals) -> bool:
    """Whether a process has told the kernel that it does not want a signal."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigIgn"], 16) & 1 << (number - 1))
