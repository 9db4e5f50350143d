"""What the fault tests do and ask for again and again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from data_platform_tests.orchestration.faults.served import Served, settled
from data_platform_tests.records.processes import alive


def kill_and_wait(served: Served, *roles: str) -> None:
    """Kill long-lived processes; every one comes back, as another, and the platform answers."""
    before = {role: process.pid for role, process in served.roles().items()}
    served.kill(*roles)

    def all_new() -> bool:
        now = served.roles()
        return served.is_whole() and all(now[role].pid != before[role] for role in roles)

    settled(f"{' and '.join(roles)} did not come back", all_new)
    assert served.roles()["up"].pid == before["up"]


def kill_writers(served: Served, runs: Mapping[str, str]) -> None:
    """Kill the living processes of runs, by table; each run is reported as failed."""
    writers = [served.writer(name) for name in runs]
    assert all(alive(writer) for writer in writers)
    for writer in writers:
        writer.kill()
    for name, run_id in runs.items():
        settled(f"the killed run of {name} has not failed", lambda run_id=run_id: served.status(run_id) == "FAILURE")


def next_writer_publishes(served: Served, table: str, partition: str, *, version: int) -> None:
    """The next sync of a table is kept from nothing by the dead one, and publishes the next version."""
    chosen = ["--partition", partition] if table == "crsp_daily" else []
    done = served.command("sync", table, *chosen)
    assert done.code == 0, done.out + done.err
    assert served.warehouse.manifests(table).numbers() == list(range(1, version + 1))


def next_tick_works(served: Served, table: str) -> None:
    """A tick of this minute is due: it has one run, which goes well."""
    before = served.scheduled(table)

    def is_new() -> bool:
        minute = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0).isoformat()
        return all(key != f"{table}:{minute}" for key, _ in before)

    settled("the minute of the tick before does not pass", is_new)
    served.make_due(table, 0)
    due_tick_works(served, table, len(before) + 1)


def due_tick_works(served: Served, table: str, runs_in_all: int) -> None:
    """A tick that is due already has one run, which goes well; then the schedule has had so many runs."""

    def has_run() -> bool:
        runs = served.scheduled(table)
        assert len(runs) <= runs_in_all, runs
        return len(runs) == runs_in_all and runs[-1][1] == "SUCCESS"

    settled(f"the tick of {table} has no run that went well", has_run)


def lines(served: Served, table: str, like: str) -> int:
    """How many log lines of a table are like this."""
    statement = "SELECT 1 FROM platform.data_sync_logs WHERE table_name = %s AND message LIKE %s"
    return len(served.execute("platform", statement, table, like))
