"""Is the server running, starting, or only remembered by a stale file? Starting and stopping it accordingly."""

from __future__ import annotations

import os
import time
from enum import Enum, auto
from pathlib import Path
from typing import Final

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from data_platform.errors import DatabaseUnavailableError
from data_platform.records.embedded.layout import PORT, Layout
from data_platform.records.embedded.programs import Programs

_POLL_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 60
_PROC: Final = Path("/proc")


class State(Enum):
    """What the signs say about a server."""

    RUNNING = auto()
    CHANGING = auto()
    """It is starting, recovering or shutting down: wait."""
    ORPHANS = auto()
    """The server was killed and some of its processes have not noticed yet: wait, they still use the data."""
    STALE = auto()
    """Its pid now belongs to a stranger: the file must go, or PostgreSQL will refuse to start."""
    STOPPED = auto()


_PATIENCE_SECONDS: Final = {State.CHANGING: _WAIT_SECONDS, State.ORPHANS: 20}
"""How long to watch a state that passes by itself."""


def judge(ping: Ping, pid: int | None, *, pid_lives: bool, workers: frozenset[int] | None) -> State:
    """Decide from: the socket's answer, the pid file, and the processes that work in the data folder.

    `workers` is None where the system can't tell; then the pid file is believed.
    """
    if ping == Ping.OK:
        return State.RUNNING
    if ping == Ping.REJECT:
        return State.CHANGING
    if workers is None:
        return State.CHANGING if pid is not None and pid_lives else State.STOPPED
    if pid is not None and pid in workers:
        return State.CHANGING
    if workers:
        return State.ORPHANS
    return State.STALE if pid is not None and pid_lives else State.STOPPED


def state_of(layout: Layout) -> State:
    """Look at the socket, the pid file and the process table."""
    pid = _pid(layout)
    return judge(_ping(layout), pid, pid_lives=_lives(pid), workers=_workers(layout.data))


def is_answering(layout: Layout) -> bool:
    """Tell whether the server accepts connections right now."""
    return _ping(layout) == Ping.OK


def start(layout: Layout, programs: Programs) -> None:
    """Start the server and wait until it accepts connections; a server that is running is left alone.

    Raises:
        DatabaseUnavailableError: when it does not come up, with the gist of its log.
    """
    settled = _settle(layout)
    if settled is State.RUNNING:
        return
    # Nobody works on the data, so what names a process id here is stale. PostgreSQL would believe it if that id
    # belongs to another process by now, or to a dead one that its parent has not collected.
    layout.socket_lock.unlink(missing_ok=True)
    if settled is State.STALE:
        layout.pid_file.unlink(missing_ok=True)
    programs.rotate_log()
    try:
        programs.run(
            "pg_ctl",
            ["start", "-D", str(layout.data), "-l", str(layout.log), "-w", "-t", str(_WAIT_SECONDS)],
            doing="starting",
        )
    except DatabaseUnavailableError:
        # A command killed a moment ago may have left a server that was just about to appear.
        if _settle(layout) is not State.RUNNING:
            raise
    if not is_answering(layout):
        raise DatabaseUnavailableError(
            "The embedded PostgreSQL started and does not answer.", hint=f"Its log is {layout.log}."
        )


def stop(layout: Layout, programs: Programs) -> None:
    """Stop the server, ending what still runs in it; a server that is not running is fine.

    Raises:
        DatabaseUnavailableError: when it does not stop.
    """
    if state_of(layout) in (State.RUNNING, State.CHANGING):
        programs.run(
            "pg_ctl",
            ["stop", "-D", str(layout.data), "-m", "fast", "-w", "-t", str(_WAIT_SECONDS)],
            doing="stopping",
        )


def _settle(layout: Layout) -> State:
    begun = time.monotonic()
    while (state := state_of(layout)) in _PATIENCE_SECONDS:
        if time.monotonic() - begun > _PATIENCE_SECONDS[state]:
            raise _stuck(layout, state)
        time.sleep(_POLL_SECONDS)
    return state


def _stuck(layout: Layout, state: State) -> DatabaseUnavailableError:
    if state is State.CHANGING:
        return DatabaseUnavailableError(
            f"The embedded PostgreSQL has been starting or stopping for {_PATIENCE_SECONDS[state]} seconds.",
            hint=f"Look into {layout.log}, then try again.",
        )
    pids = ", ".join(map(str, sorted(_workers(layout.data) or ())))
    return DatabaseUnavailableError(
        f"The embedded PostgreSQL was killed and processes of it still use its data (pid {pids}).",
        hint="Wait for them to finish their statement, or end them, and try again.",
    )


def _ping(layout: Layout) -> Ping:
    # dbname and user are given because libpq would otherwise look them up in the environment.
    conninfo = make_conninfo(host=str(layout.run), port=PORT, dbname="postgres", user="postgres", connect_timeout=5)
    return Ping(PGconn.ping(conninfo.encode()))


def _pid(layout: Layout) -> int | None:
    try:
        return int(layout.pid_file.read_text(encoding="ascii").splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _lives(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _workers(data: Path) -> frozenset[int] | None:
    """Find the processes whose working folder is the data folder: every process of a server has it there."""
    if not (_PROC / "self" / "cwd").exists():
        return None
    try:
        wanted = data.stat()
    except FileNotFoundError:
        return frozenset()
    found: set[int] = set()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            folder = (entry / "cwd").stat()
        except OSError:
            continue
        if (folder.st_dev, folder.st_ino) == (wanted.st_dev, wanted.st_ino):
            found.add(int(entry.name))
    return frozenset(found)
