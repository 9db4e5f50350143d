"""Missing dates: the verdict of the continuity validator, said as an anomaly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from data_platform.catalog import Partitioning, Table
from data_platform.quality.anomalies.anomaly import Anomaly, Metric, Severity, found
from data_platform.quality.calendars import trading_calendar
from data_platform.quality.continuity import date_continuity
from data_platform.quality.profile import Profile
from data_platform.quality.results import Status


def date_gap(table: Table, partition: str, profile: Profile, today: dt.date | None) -> Iterator[Anomaly]:
    """What `date_continuity` finds wrong; a failed check is an error, a warning a warning.

    Without `today` the last date that there is counts as today, so that nothing is missed at the partition's end.
    """
    if table.date_column is None or table.calendar is None or not profile.dates:
        return
    verdict = date_continuity(
        profile,
        trading_calendar(table.calendar),
        bounds=table.partition_range(partition) if table.partitioning is Partitioning.YEAR else None,
        first_date=table.first_date,
        today=today or profile.dates[-1],
    )
    if verdict.status is not Status.PASSED:
        severity = Severity.ERROR if verdict.status is Status.FAILED else Severity.WARNING
        yield found(Metric.DATE_GAP, verdict.message, current=float(len(profile.dates)), severity=severity)
