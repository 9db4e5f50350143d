"""Pruning the ticks of schedules and sensors: each evaluation leaves one, and only failures are worth reading later.

They are not exported: what a tick started is a run, and those are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import dagster as dg
from dagster._core.scheduler.instigation import TickStatus

KEEP_TICKS: Final[Mapping[TickStatus, dt.timedelta]] = {
    TickStatus.SKIPPED: dt.timedelta(days=7),
    TickStatus.STARTED: dt.timedelta(days=90),
    TickStatus.SUCCESS: dt.timedelta(days=90),
    TickStatus.FAILURE: dt.timedelta(days=90),
}
"""Longer than the pause between any schedule's ticks where it matters: a schedule goes on from its last tick."""


def prune_ticks(instance: dg.DagsterInstance, now: dt.datetime, *, dry_run: bool) -> int:
    """Delete the ticks that are older than their status keeps; return how many were, or would be, deleted."""
    count = 0
    for state in instance.all_instigator_state():
        for status, keep in KEEP_TICKS.items():
            before = (now - keep).timestamp()
            old = instance.get_ticks(state.instigator_origin_id, state.selector_id, before=before, statuses=[status])
            count += len(old)
            if old and not dry_run:
                instance.purge_ticks(state.instigator_origin_id, state.selector_id, before, [status])
    return count
