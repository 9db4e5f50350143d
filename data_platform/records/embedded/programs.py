"""Running the server's programs: as the right user, away from our terminal and pipes, talking to the log."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from data_platform.errors import DatabaseUnavailableError
from data_platform.records.embedded.account import RunAs, current_run_as, hand_over
from data_platform.records.embedded.binaries import Installation
from data_platform.records.embedded.layout import Layout

_TELLING: Final = re.compile(r"(?:FATAL|PANIC|ERROR):|error:|could not|cannot|unrecognized|[Nn]o space|not permitted")
_STAMP: Final = re.compile(r"^(?:waiting for server to start\.+)?\S+ \S+ \w+ \[\d+\] ")
_LOG_BYTES: Final = 10_000_000
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL installation, run for one layout."""

    installation: Installation
    layout: Layout
    run_as: RunAs

    @classmethod
    def prepare(cls, installation: Installation, layout: Layout) -> Programs:
        """Choose how to run on this machine and see to it that the folder belongs to whom the server runs as.

        Raises:
            ConfigurationError: when there is no way to run a server here.
        """
        run_as = current_run_as()
        hand_over(run_as, layout.root, installation.bin)
        return cls(installation, layout, run_as)

    def run(self, program: str, arguments: Sequence[str], *, doing: str) -> None:
        """Run a program to its end; both its output streams go to the server's log.

        It gets a session of its own, so that Ctrl-C in our terminal reaches neither it nor the server it starts,
        and no descriptor of ours, so that nobody who reads our output waits for the server to end.

        Raises:
            DatabaseUnavailableError: when it fails, with the gist of what it said and where the rest stands.
        """
        account = self.run_as.account
        log = self._open_log()
        try:
            before = os.fstat(log).st_size
            finished = subprocess.run(  # noqa: S603 - programs of our own wheel, no shell
                [*self.run_as.prefix, str(self.installation.bin / program), *arguments],
                cwd=self.layout.root,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                umask=0o077,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._failed(doing, f"{program} did not end within {_SECONDS} seconds") from None
        except OSError as error:
            raise self._failed(doing, f"{program}: {error.strerror}") from None
        finally:
            os.close(log)
        if finished.returncode != 0:
            said = self.layout.log.read_bytes()[before:].decode(errors="replace")
            raise self._failed(doing, gist(said) or f"{program} ended with code {finished.returncode}")

    def give_away(self, descriptor: int) -> None:
        """Let the server's account read a file that we opened."""
        if self.run_as.account is not None:
            os.fchown(descriptor, self.run_as.account.uid, self.run_as.account.gid)

    def rotate_log(self) -> None:
        """Begin a new log when the old one has grown beyond 10 MB; one old log is kept."""
        log = self.layout.log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))

    def _open_log(self) -> int:
        descriptor = os.open(self.layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.give_away(descriptor)
        return descriptor

    def _failed(self, doing: str, reason: str) -> DatabaseUnavailableError:
        return DatabaseUnavailableError(
            f"The embedded PostgreSQL failed while {doing}: {reason}.",
            hint=f"The server's log is {self.layout.log}. `df -h` shows whether its disk is full.",
        )


def gist(said: str) -> str | None:
    """Return the lines of a log that tell of trouble, at most the last two, without time stamps; None for none.

    The server's own words are preferred to `pg_ctl`'s summary of them.
    """
    lines = [_STAMP.sub("", line.strip()) for line in said.splitlines()]
    telling = [line for line in lines if _TELLING.search(line)]
    own_words = [line for line in telling if not line.startswith("pg_ctl:")]
    return "; ".join((own_words or telling)[-2:]).rstrip(".") or None
