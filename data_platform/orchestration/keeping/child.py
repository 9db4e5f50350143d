"""A process that is started again when it ends, after pauses that grow, until it ends too often.

It does not end too often while what it needs is away: then its starts, half a minute apart, are how we wait.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from data_platform.errors import PlatformError, UsageError

STEADY_SECONDS: Final = 60.0
"""Whoever lived so long is healthy: its next end is the first in a row."""
MOST_IN_A_ROW: Final = 8
_AFTER_EXCUSE: Final = 6
"""Ends that still count then: what it needs may come back while it is ending, and two more ends are no sign of that."""
_LONGEST_PAUSE: Final = 30.0
_log = logging.getLogger("data_platform")


def pause_before_restart(ends_in_a_row: int) -> float:
    """Seconds to wait after that many ends in a row: 1, 2, 4 and so on, at most 30."""
    return min(_LONGEST_PAUSE, 2.0 ** (ends_in_a_row - 1))


def _nothing() -> None:
    return None


class Child:
    """One process of ours; call `look` often, and `ask_to_stop` and `end` at last.

    `excused` is asked when it has ended too often: what it lacks that will come back, in words, or None.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        own_session: bool = False,
        excused: Callable[[], str | None] = _nothing,
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = None if environment is None else dict(environment)
        self._own_session = own_session
        self._excused = excused
        self._ends = 0
        self._due = 0.0
        self._started = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        """Of the process that was started last, also when it has ended: the number of its group."""

    def look(self, now: float | None = None) -> bool:
        """Start the process when it is due; False when it was found to have ended just now.

        Raises:
            PlatformError: when it refused what it was asked to do, or has ended too often in a row.
        """
        now = time.monotonic() if now is None else now
        if self.process is None:
            if now >= self._due:
                self._start(now)
            return True
        code = self.process.poll()
        if code is None:
            return True
        self.process = None
        if code == UsageError.exit_code:
            raise PlatformError(f"{self.name} gave up.", hint="Its message stands above.")
        self._ends = 1 if now - self._started >= STEADY_SECONDS else self._ends + 1
        if self._ends > MOST_IN_A_ROW:
            self._excuse_or_give_up(code)
        pause = pause_before_restart(self._ends)
        self._due = now + pause
        _log.warning("%s %s; it is started again in %g s.", self.name, _ended(code), pause)
        return False

    def _excuse_or_give_up(self, code: int) -> None:
        lacking = self._excused()
        if lacking is None:
            raise PlatformError(
                f"{self.name} {_ended(code)}, for the {self._ends}th time in a row; it is not started again.",
                hint="Its messages stand above.",
            )
        _log.warning("%s will be tried until this is over: %s", self.name, lacking)
        self._ends = _AFTER_EXCUSE

    def ask_to_stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal, if it is there."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def end(self, grace_seconds: float) -> None:
        """Wait until it has stopped, and make it when it has not within the time."""
        if self.process is None:
            return
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _start(self, now: float) -> None:
        self._started = now
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self._command, env=self._environment, start_new_session=self._own_session
        )
        self.pid = self.process.pid


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended by itself with exit code {code}"
