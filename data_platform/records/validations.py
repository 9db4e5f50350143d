"""`data_validation_results`: what each check of each synced partition found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal
from uuid import UUID

from psycopg import sql

from data_platform.records.connection import Connection
from data_platform.records.filters import where

ValidationType = Literal["row_count", "null_pct", "schema", "date_continuity", "contract", "checksum", "anomaly"]
Status = Literal["passed", "failed", "warning"]


@dataclass(frozen=True, slots=True)
class Validation:
    """One finding; the values are counts, shares or names, as text, never values of rows."""

    dataset: str
    table_name: str
    partition: str
    validation_type: ValidationType
    status: Status
    expected_value: str | None = None
    actual_value: str | None = None
    error_message: str | None = None
    sync_run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValidation(Validation):
    """A finding as it was recorded."""

    id: int
    created_at: dt.datetime


def store(connection: Connection, validations: Iterable[Validation]) -> None:
    """Record findings."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO platform.data_validation_results
                (dataset, table_name, partition, validation_type, status,
                 expected_value, actual_value, error_message, sync_run_id)
            VALUES
                (%(dataset)s, %(table_name)s, %(partition)s, %(validation_type)s, %(status)s,
                 %(expected_value)s, %(actual_value)s, %(error_message)s, %(sync_run_id)s)
            """,
            [asdict(validation) for validation in validations],
        )


def recent(
    connection: Connection, dataset: str | None = None, table: str | None = None, limit: int = 50
) -> list[StoredValidation]:
    """Return the newest findings that the scope may see, newest first."""
    rows = connection.execute(
        sql.SQL(
            """
            SELECT id, created_at, dataset, table_name, partition, validation_type, status,
                   expected_value, actual_value, error_message, sync_run_id
            FROM platform.data_validation_results {} ORDER BY created_at DESC, id DESC LIMIT {}
            """
        ).format(where(dataset=dataset, table_name=table), limit)
    ).fetchall()
    return [StoredValidation(**row) for row in rows]
