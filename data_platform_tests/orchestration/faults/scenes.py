"""What the fault tests do and ask for again and again."""

from __future__ import annotations

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


def next_tick_works(served: Served, table: str, *, ticks: int, minutes: int | None = None) -> None:
    """A tick that is due, or becomes so now if `minutes` says how long ago it was, has one run, which goes well.

    `ticks` is how many runs the schedule has then in all.
    """
    if minutes is not None:
        ticks += len(served.scheduled(table))
        served.make_due(table, minutes)

    def has_run() -> bool:
        runs = served.scheduled(table)
        assert len(runs) <= ticks, runs
        return len(runs) == ticks and runs[-1][1] == "SUCCESS"

    settled(f"the tick of {table} has no run that went well", has_run)


def lines(served: Served, table: str, like: str) -> int:
    """How many log lines of a table are like this."""
    statement = "SELECT 1 FROM platform.data_sync_logs WHERE table_name = %s AND message LIKE %s"
    return len(served.execute("platform", statement, table, like))
