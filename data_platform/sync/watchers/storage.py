"""What becomes of the warehouse while nobody looks: disk, locks, files that are gone, quarantine. Pure decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from data_platform.records.alerts import Severity
from data_platform.sync.watchers.watch import Metric, Watch
from data_platform.warehouse.conditions import Condition, lock_condition
from data_platform.warehouse.disk import CRITICAL_PCT, REFUSE_PCT, WARNING_PCT, DiskSpaceStatus
from data_platform.warehouse.lock import LockState
from data_platform.warehouse.quarantine import QuarantineEntry

QUARANTINED_FOR: Final = dt.timedelta(hours=1)
"""Who syncs by hand sees at once what was set aside; an hour later somebody else should know."""

_MARKS: Final[tuple[tuple[float, Severity], ...]] = (
    (REFUSE_PCT, "error"),
    (CRITICAL_PCT, "error"),
    (WARNING_PCT, "warning"),
)
_HOUR: Final = dt.timedelta(hours=1)


def disk_usage(disk: DiskSpaceStatus) -> list[Watch]:
    """The highest of the marks 80, 90 and 95 percent that the warehouse's volume has reached."""
    for mark, severity in _MARKS:
        if disk.used_pct >= mark:
            refused = " Syncs are refused." if mark == REFUSE_PCT else ""
            return [
                Watch(
                    Metric.DISK_USAGE,
                    severity,
                    f"The warehouse's disk is filling up: {disk.message}.{refused}",
                    partition=f"{mark:.0f}%",
                    current_value=disk.used_pct,
                    expected_value=mark,
                )
            ]
    return []


def suspect_locks(locks: Iterable[LockState], now: dt.datetime) -> list[Watch]:
    """Tables that a living process has had locked for more than four hours."""
    found: list[Watch] = []
    for state in locks:
        condition = lock_condition(state, now)
        if condition is not None and condition.kind == "lock_suspect" and state.token is not None:
            held = round((now - state.token.acquired_at) / _HOUR, 2)
            message = f"{condition.message}."
            found.append(Watch(Metric.LOCK_SUSPECT, "warning", message, table_name=state.table, current_value=held))
    return found


def files(conditions: Iterable[Condition]) -> list[Watch]:
    """One for each table whose latest version and files do not agree: what is damaged or gone."""
    by_table: dict[str, list[Condition]] = {}
    for condition in conditions:
        if condition.table is not None and condition.kind in {"damaged", "missing_file"}:
            by_table.setdefault(condition.table, []).append(condition)
    return [
        Watch(
            Metric.MANIFEST_FILES,
            "error",
            f"{found[0].message}." + (f" And {len(found) - 1} more like it." if found[1:] else ""),
            table_name=table,
            current_value=len(found),
        )
        for table, found in by_table.items()
    ]


def quarantined(entries: Iterable[QuarantineEntry], now: dt.datetime) -> list[Watch]:
    """One for each table that has had something in quarantine for more than an hour."""
    by_table: dict[str, list[dt.datetime]] = {}
    for entry in entries:
        if now - entry.created_at > QUARANTINED_FOR:
            by_table.setdefault(entry.table, []).append(entry.created_at)
    return [
        Watch(
            Metric.QUARANTINE,
            "warning",
            f"{len(times)} in quarantine, the oldest since {min(times):%Y-%m-%d %H:%M} UTC.",
            table_name=table,
            current_value=len(times),
        )
        for table, times in sorted(by_table.items())
    ]
