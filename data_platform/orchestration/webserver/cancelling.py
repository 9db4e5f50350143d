"""Cancelling a backfill so that it stays cancelled.

Dagster's daemon reads a backfill, adds what it launched, and writes it back whole. A cancellation between the two is
overwritten: whoever cancelled was told that it succeeded, and the backfill goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus

_LOOKS: Final = 5
_BETWEEN_SECONDS: Final = 0.2
"""The daemon is between its reading and its writing for some milliseconds, on a busy machine for tenths of a second."""

Answer = TypeVar("Answer")


def cancel_for_good(instance: dg.DagsterInstance, backfill_id: str, cancel: Callable[[], Answer]) -> Answer:
    """Cancel, look for a second whether the backfill is requested again, and then cancel once more.

    Args:
        instance: Where the backfill lies.
        backfill_id: The backfill's; there may be none.
        cancel: Dagster's own way to do it, which asks whether the caller may.
    """
    answer = cancel()
    for _ in range(_LOOKS):
        time.sleep(_BETWEEN_SECONDS)
        backfill = instance.get_backfill(backfill_id)
        if backfill is None or backfill.status not in {BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING}:
            break
        if backfill.status is BulkActionStatus.REQUESTED:
            answer = cancel()
    return answer
