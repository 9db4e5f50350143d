"""Serving Dagster: webserver, daemon and code server as one group of processes that ends as a whole.

The head of the group (`keeping/`) starts again whichever of them dies. Here the head is watched, and the database.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from data_platform.errors import UsageError
from data_platform.orchestration.assets import WRDS_POOL
from data_platform.orchestration.dead_runs import report_dead_runs
from data_platform.orchestration.instance import dagster_environment, open_instance
from data_platform.orchestration.keeping.child import Child
from data_platform.orchestration.webserver.asking import require_listening
from data_platform.records.databases import Databases
from data_platform.records.embedded.service import revive
from data_platform.records.reaching import why_unreachable
from data_platform.settings import Settings

_GRACE_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.1
_DATABASE_SECONDS: Final = 1.0
_DATABASE_LONGEST: Final = 30.0


def serve(settings: Settings, databases: Databases, *, host: str, port: int) -> None:
    """Run until interrupted (Ctrl-C or SIGTERM), and leave no process behind.

    A process that dies is started again, and so is the embedded database. When the head of the group dies, what runs
    in the group ends with it, runs too, and all of it is started again.

    Raises:
        UsageError: when the home is being served already, the port is taken, or the host is not this machine's alone
            and nobody could tell who asks.
        ConfigurationError: when the identity mode lacks a setting.
        PlatformError: when a process of Dagster ends again and again while the database is there.
    """
    require_listening(settings, host)
    with _served_once(settings.home):
        _require_free(host, port)
        with open_instance(settings, databases) as instance:
            report_dead_runs(instance)
            # Said aloud: the daemon's first look at the pools comes before it applies the default limit.
            instance.event_log_storage.set_concurrency_slots(WRDS_POOL, 1)
        _keep_head(settings, databases, host, port)


def _keep_head(settings: Settings, databases: Databases, host: str, port: int) -> None:
    # Dagster warns of previews; that is nothing for whoever starts it.
    python = [sys.executable, "-W", "ignore", "-m"]
    command = [*python, "data_platform.orchestration.keeping", "--host", host, "--port", str(port)]
    environment = {**os.environ, **dagster_environment(settings, databases)}
    # A session of its own, so that Ctrl-C reaches only us and the whole group can be ended.
    head = Child(
        "Dagster", command, environment, own_session=True, excused=lambda: why_unreachable(databases.dagster_url)
    )
    with _stop_signals() as asked, _database_kept(settings, databases), _ended_as_a_whole(head):
        while not asked:
            if not head.look():
                # Orphans would hold the port, and work beside their successors.
                _end_group(head)
            time.sleep(_POLL_SECONDS)


@contextmanager
def _served_once(home: Path) -> Generator[None]:
    """Be the only one that serves a home: of two daemons each would launch what is due, and what waits in the queue."""
    folder = home / "dagster"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "served.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            # Let go by the kernel, however this process ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "This home is being served already.", hint="One `data-platform up` serves a home; stop the other first."
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _ended_as_a_whole(head: Child) -> Generator[None]:
    try:
        yield
    finally:
        head.ask_to_stop(signal.SIGINT)
        head.end(_GRACE_SECONDS)
        _end_group(head)


@contextmanager
def _database_kept(settings: Settings, databases: Databases) -> Generator[None]:
    """Start the embedded server again when it dies; a server of the user's own is theirs."""
    stopped = threading.Event()

    def keep() -> None:
        pause = _DATABASE_SECONDS
        while not stopped.wait(pause):
            # What can't be mended by looking often, such as a full disk, need not fill the log.
            pause = _DATABASE_SECONDS if revive(settings.home) else min(2 * pause, _DATABASE_LONGEST)

    watch = threading.Thread(target=keep, daemon=True)
    if databases.embedded:
        watch.start()
    try:
        yield
    finally:
        stopped.set()
        if databases.embedded:
            watch.join(_GRACE_SECONDS)


def _end_group(head: Child) -> None:
    """Ask what is left of the group to stop, then make it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if head.pid is None or not _members(head.pid):
            return
        with suppress(ProcessLookupError):
            os.killpg(head.pid, number)
        deadline = time.monotonic() + _GRACE_SECONDS
        while _members(head.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _members(group: int) -> list[int]:
    """The living processes of a session: Dagster starts code servers and runs as children of children."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()
            state, session = fields[0], int(fields[3])
            if session == group and state != "Z":
                found.append(int(entry.parent.name))
    return found


@contextmanager
def _stop_signals() -> Generator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP instead of being ended by them."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise UsageError(
                f"Port {port} on {host} is in use.", hint=f"Choose another: data-platform up --port {port + 1}"
            ) from None
