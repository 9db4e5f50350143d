"""`data-platform sync` with a server: the sync is ordered there, and runs there."""

from __future__ import annotations

from data_platform.catalog import find_table
from data_platform.cli.output import print_json, say
from data_platform.cli.remote import RemoteSyncs
from data_platform.client import connect
from data_platform.errors import UsageError


def order_sync(
    table: str | None, partitions: list[str], reason: str, *, every: bool, full: bool, as_json: bool
) -> None:
    """Order a sync of one table from the server of DATA_PLATFORM_URL, and say which run does it.

    Raises:
        UsageError: when no one table is named.
        PlatformError: as the server answers.
    """
    if table is None:
        raise UsageError(
            "A server syncs one table at a time for you.", hint="Name the table, with --partition or --all."
        )
    declared = find_table(table)
    with connect() as client:
        job = RemoteSyncs(client).trigger(declared.dataset, table, reason, partitions, every=every, full=full)
    if as_json:
        print_json(job)
        return
    what = f" ({', '.join(job.partitions)})" if job.partitions else ""
    say(f"Run {job.run_id} of {job.table}{what} is in the queue. See: data-platform logs --dataset {job.dataset}")
