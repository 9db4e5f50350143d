"""The journal of a sync: its log lines and validation results, written to the operational records.

A line says what happened, to which partition, with counts and hashes; never a licensed value.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping

from data_platform.catalog import Table
from data_platform.errors import DatabaseUnavailableError
from data_platform.quality import CheckResult
from data_platform.records import sync_logs, validations
from data_platform.records.connection import Records
from data_platform.records.scope import Scope

_SCOPE = Scope.system("sync")
_log = logging.getLogger(__name__)


class Journal:
    """Writes for one table and one run."""

    def __init__(self, records: Records, table: Table, run_id: uuid.UUID) -> None:
        self._records = records
        self._table = table
        self._run_id = run_id

    def log(self, level: sync_logs.Level, message: str, **extra: object) -> None:
        """Append one line. A database that is away costs the line, never the sync: what it did stands elsewhere too."""
        try:
            self._append(level, message, extra)
        except DatabaseUnavailableError as error:
            _log.warning("%s: not recorded (%s): %s", self._table.name, error.message, message)

    def _append(self, level: sync_logs.Level, message: str, extra: Mapping[str, object]) -> None:
        with self._records.transaction(_SCOPE) as connection:
            sync_logs.append(
                connection, self._table.dataset, self._table.name, level, message, extra=extra, sync_run_id=self._run_id
            )

    def results(self, partition: str, results: tuple[CheckResult, ...]) -> None:
        """Keep a partition's validation results."""
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
