"""From verdicts to alerts: what a person should look at, once for each thing, whatever found it; and telling them."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Final

from data_platform.alerting.delivery import deliver_quietly
from data_platform.catalog import Table
from data_platform.quality import CheckResult, Status, ValidationType
from data_platform.quality.anomalies import Anomaly, Metric
from data_platform.records.alerts import Alert, Severity
from data_platform.sync.context import SyncContext

_SAID_BY: Final[Mapping[ValidationType, Metric]] = {
    ValidationType.ROW_COUNT: Metric.ROW_DROP,
    ValidationType.NULL_PCT: Metric.NULL_SPIKE,
    ValidationType.DATE_CONTINUITY: Metric.DATE_GAP,
}
"""The anomaly that says the same as a validator, with figures."""

_SEVERITIES: Final[Mapping[Status, Severity]] = {Status.FAILED: "error", Status.WARNING: "warning"}


def alerts_of(
    table: Table, partition: str, results: Iterable[CheckResult], anomalies: Iterable[Anomaly], run_id: uuid.UUID
) -> list[Alert]:
    """An alert for each anomaly, and for each check that did not pass and that no anomaly speaks for."""
    found = [
        Alert(
            dataset=table.dataset,
            table_name=table.name,
            partition=partition,
            metric=anomaly.metric,
            severity=anomaly.severity.value,
            message=_with_keys(anomaly),
            current_value=anomaly.current_value,
            expected_value=anomaly.expected_value,
            deviation_pct=anomaly.deviation_pct,
            sync_run_id=run_id,
        )
        for anomaly in anomalies
    ]
    said = {alert.metric for alert in found}
    for result in results:
        severity, same = _SEVERITIES.get(result.status), _SAID_BY.get(result.validation_type)
        if severity is None or result.validation_type is ValidationType.ANOMALY or (same and same.value in said):
            continue
        found.append(
            Alert(
                dataset=table.dataset,
                table_name=table.name,
                partition=partition,
                metric=same.value if same is Metric.DATE_GAP else result.validation_type.value,
                severity=severity,
                message=result.message,
                sync_run_id=run_id,
            )
        )
    return found


def _with_keys(anomaly: Anomaly) -> str:
    return anomaly.message + (f" ({'; '.join(anomaly.keys)})" if anomaly.keys else "")


@contextmanager
def alerts_sent(context: SyncContext) -> Generator[None]:
    """Send the alerts of a run together, when it ends, however it ends; a channel that is away keeps no run.

    To be around the session at the source, which is then over: a slow channel keeps none open.
    """
    try:
        yield
    finally:
        deliver_quietly(context.records, context.settings)
