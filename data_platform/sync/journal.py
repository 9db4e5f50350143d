"""The journal of a sync: its log lines, and its validation results and alerts in the operational records.

A line says what happened, to which partition, with counts and hashes; never a licensed value. It goes to the logger
`data_platform.sync`, and from there to the records without being waited for (`lines`). Validation results are written
before the sync goes on.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Final

from data_platform.catalog import Table
from data_platform.metrics.counting import drift_judged
from data_platform.quality import CheckResult, ValidationType
from data_platform.quality.anomalies import Anomaly
from data_platform.records import alerts, validations
from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import Level
from data_platform.sync.alerting import alerts_of
from data_platform.sync.lines import LOGGER

_SCOPE: Final = Scope.system("sync")
_LEVELS: Final[Mapping[Level, int]] = {"INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}


class Journal:
    """Writes for one table and one run; its lines are kept within a block of `kept_lines`."""

    def __init__(self, records: Records, table: Table, run_id: uuid.UUID) -> None:
        self._records = records
        self._table = table
        self._run_id = run_id

    def log(self, level: Level, message: str, *, partition: str | None = None, **fields: object) -> None:
        """Append one line; returns at once, whatever the database does."""
        LOGGER.log(
            _LEVELS[level],
            message,
            extra={
                "dataset": self._table.dataset,
                "table_name": self._table.name,
                "sync_run_id": self._run_id,
                "partition": partition,
                "fields": fields,
            },
        )

    def results(self, partition: str, results: tuple[CheckResult, ...], anomalies: tuple[Anomaly, ...] = ()) -> None:
        """Keep a partition's validation results, and alert to what did not pass."""
        for result in results:
            if result.validation_type is ValidationType.SCHEMA:
                drift_judged(self._table.name, result.status)
        found = alerts_of(self._table, partition, results, anomalies, self._run_id)
        with self._records.transaction(_SCOPE) as connection:
            validations.store(
                connection,
                [
                    validations.Validation(
                        dataset=self._table.dataset,
                        table_name=self._table.name,
                        partition=partition,
                        validation_type=result.validation_type.value,
                        status=result.status.value,
                        expected_value=result.expected,
                        actual_value=result.actual,
                        error_message=result.message or None,
                        sync_run_id=self._run_id,
                    )
                    for result in results
                ],
            )
            alerts.store_new(connection, found)
