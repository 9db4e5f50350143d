"""What long-lived processes and the home hold on to, in figures that must not grow with the number of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import psutil

from data_platform_tests.orchestration.faults.away import pass_time
from data_platform_tests.orchestration.faults.served import Served

TOLERANCE: Final = {"descriptors": 6, "threads": 6, "connections": 6}
"""How much more there may be: pools of connections and of workers are filled as they are needed. Nothing else may."""


def figures(served: Served) -> dict[str, int]:
    """What there is now: of each process its descriptors and threads, and what lies in the home and the database."""
    found: dict[str, int] = {}
    roles = served.roles()
    for role, process in roles.items():
        with suppress(psutil.NoSuchProcess):
            found[f"descriptors of the {role}"] = process.num_fds()
            found[f"threads of the {role}"] = process.num_threads()
    root = served.warehouse.store.root
    connections = served.execute(
        "postgres",
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> "
        "'fault-tests'",
    )
    found |= {
        "processes": len(_session(roles["head"].pid)),
        "locks": len(list((root / "locks").glob("*.lock"))),
        "staging folders": len(list((root / "staging").glob("*"))),
        "temporary files": sum(1 for _ in served.temporary.rglob("*")),
        "waiting files of log lines": len(list((served.home / "logs" / "sync").glob("*"))),
        "connections": connections[0][0],
    }
    return found


def quiet(served: Served, earlier: Mapping[str, int] | None = None) -> dict[str, int]:
    """The lowest of each figure in a few moments, and `earlier`: what comes and goes is not held on to."""
    lowest = dict(earlier or {})
    for _ in range(5):
        pass_time(0.5)
        for name, value in figures(served).items():
            lowest[name] = min(value, lowest.get(name, value))
    return lowest


def grown(base: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """What is there in larger numbers than may be, with by how much."""
    return {
        name: value - base[name]
        for name, value in now.items()
        if value - base[name] > TOLERANCE.get(name.split(" ", maxsplit=1)[0], 0)
    }


def table(base: Mapping[str, int], now: Mapping[str, int]) -> str:
    """Both, side by side."""
    rows = [f"{name:<32} {base[name]:>8} {value:>8}" for name, value in now.items()]
    return "\n".join([f"{'':<32} {'before':>8} {'after':>8}", *rows])


def _session(head: int) -> list[int]:
    found: list[int] = []
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == head:
                found.append(pid)
    return found
