"""Many small runs through the real queue, a few at once."""

from __future__ import annotations

from typing import Final

from data_platform_tests.orchestration.faults.served import Served, settled

TABLE: Final = "crsp_names"
_SQL: Final = f"SELECT count(*) FROM {TABLE}"
_AT_ONCE: Final = 4
_ENDED: Final = {"SUCCESS", "FAILURE", "CANCELED"}


def soak(served: Served, count: int) -> None:
    """Run so many: of each few the first is a sync that extracts and stages, the others query what it published."""
    for first in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - first)
        runs = [served.sync(TABLE), *(served.query("crsp", _SQL) for _ in range(size - 1))]
        for run_id in runs:
            settled(f"run {run_id} has not ended", lambda run_id=run_id: served.status(run_id) in _ENDED)
        assert [served.status(run_id) for run_id in runs] == ["SUCCESS"] * size
