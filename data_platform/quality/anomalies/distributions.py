"""Dividends counted twice: in the amount, or in the total return, which then no longer agree."""

from __future__ import annotations

from collections.abc import Iterator

from data_platform.quality.anomalies.anomaly import Anomaly, Metric, counted, found
from data_platform.quality.anomalies.suspects import Suspects


def doubled_dividend(suspects: Suspects) -> Iterator[Anomaly]:
    """Ex-dates on which the difference of the two returns is twice or half what the dividend makes it."""
    rows = suspects.flagged("_doubles")
    if rows.height:
        yield found(
            Metric.DOUBLED_DIVIDEND,
            f"{counted(rows.height, 'dividend')} is or are twice in the amount or in the return, not in both",
            current=float(rows.height),
            expected=0.0,
            keys=suspects.keys(rows),
        )
