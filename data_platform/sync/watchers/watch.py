"""What a watcher finds, and the names under which it becomes an alert."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from data_platform.catalog import TABLES
from data_platform.catalog.model import WHOLE
from data_platform.records.alerts import Alert, Severity
from data_platform.records.scope import PLATFORM

AT_ONCE: Final = dt.timedelta(0)


class Metric(StrEnum):
    """What is watched; the metric of the alert."""

    SYNC_TOO_LONG = "sync_too_long"
    DATA_LATE = "data_late"
    DISK_USAGE = "disk_usage"
    LOCK_SUSPECT = "lock_suspect"
    MANIFEST_FILES = "manifest_files"
    QUARANTINE = "quarantine"
    BACKUP_FAILED = "backup_failed"
    BACKUP_OLD = "backup_old"
    CREDENTIAL_EXPIRY = "credential_expiry"
    DAEMON = "daemon"
    PRICE_DRIFT = "price_drift"
    HOUSEKEEPING_FAILED = "housekeeping_failed"


@dataclass(frozen=True, slots=True)
class Watch:
    """Something that is so now. The message has counts and times, no values of rows.

    What concerns no table is of the platform. `partition` tells apart several such things of one metric. It must have
    been so for the length of `patience` before anybody is told.
    """

    metric: Metric
    severity: Severity
    message: str
    table_name: str = PLATFORM
    partition: str = WHOLE
    current_value: float | None = None
    expected_value: float | None = None
    patience: dt.timedelta = AT_ONCE

    @property
    def alert(self) -> Alert:
        """The alert that tells of it; that of a table which the catalog does not know is the platform's."""
        table = TABLES.get(self.table_name)
        return Alert(
            dataset=PLATFORM if table is None else table.dataset,
            table_name=self.table_name,
            partition=self.partition,
            metric=self.metric.value,
            severity=self.severity,
            message=self.message,
            current_value=self.current_value,
            expected_value=self.expected_value,
        )


def key_of(alert: Alert) -> str:
    """By what an alert and a condition are known to be about the same thing: everything but figures and words."""
    return "|".join((alert.metric, alert.severity, alert.dataset, alert.table_name, alert.partition))


def metric_of(key: str) -> str:
    """The metric of a key."""
    return key.partition("|")[0]
