"""The metrics of alerts: every name under which a person is told of something, whatever finds it."""

from __future__ import annotations

from typing import Final

from data_platform.quality import ValidationType
from data_platform.quality.anomalies import Metric as Fault
from data_platform.sync.watchers.watch import Metric as Watched

SYNC_FAILED: Final = "sync_failed"
"""Scheduled syncs of a table fail."""

DAMAGE: Final = "damage"
"""Verification found something wrong in a table."""

# A check for anomalies raises alerts in their own names.
_CHECKED: Final = frozenset(kind.value for kind in ValidationType if kind is not ValidationType.ANOMALY)

METRICS: Final = frozenset(
    {*_CHECKED, *(fault.value for fault in Fault), *(watched.value for watched in Watched), SYNC_FAILED, DAMAGE}
)
