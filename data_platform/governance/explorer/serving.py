"""What the requests of a server need when it begins and when it ends: none waits for a process that is gone."""

from __future__ import annotations

from typing import Final

from data_platform.governance.explorer.door import SCOPE
from data_platform.governance.explorer.watching import watch_over
from data_platform.records import waiting_requests
from data_platform.records.connection import Records

STOPPED: Final = "the server stops"


def end_lost(records: Records) -> int:
    """End as failed what waits for a server that is gone; return how many requests that were.

    Raises:
        DatabaseUnavailableError: when the records are away.
    """
    with records.transaction(SCOPE) as connection:
        return waiting_requests.end_lost(connection)


def stop(records: Records) -> None:
    """Stop every query and export that runs in this process, for good, and end what waits for it.

    Raises:
        DatabaseUnavailableError: when the records are away; what runs was stopped all the same.
    """
    watch_over(records).stop(STOPPED)
    end_lost(records)
