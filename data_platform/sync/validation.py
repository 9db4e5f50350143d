"""Judging a staged partition: gather what the validators need, run them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.catalog import Partitioning, Table
from data_platform.catalog.drift import columns_of
from data_platform.quality import (
    CHECKS,
    CheckResult,
    Evidence,
    FileFacts,
    Profile,
    Status,
    TradingCalendar,
    ValidationType,
    judge_rows,
    profile_frame,
    trading_calendar,
)
from data_platform.warehouse import FileCheck, StagedFile, SyncManifest
from data_platform.warehouse.integrity import hash_file


def judge(
    table: Table,
    partition: str,
    staged: StagedFile,
    *,
    base: SyncManifest | None,
    registered: Mapping[str, str] | None,
    source_rows: int | None,
    today: dt.date,
    references: Mapping[str, pl.LazyFrame] | None = None,
) -> tuple[CheckResult, ...]:
    """Run every validator on a staged file, with the latest version and its schema as history.

    `references` are rows of the other tables that the table's rules name, where these are published. A file that is
    not the one that was written is judged no further, and one with other columns than declared not by its rows.
    """
    reported = FileFacts(staged.sha256, staged.bytes, staged.rows)
    read_back = _read_back(staged)
    if read_back != reported:
        kinds, profile = (ValidationType.CHECKSUM,), _unread(staged)
    elif columns_of(staged.schema) != columns_of(table.arrow_schema):
        kinds, profile = (ValidationType.SCHEMA, ValidationType.CONTRACT, ValidationType.CHECKSUM), _unread(staged)
    else:
        kinds = tuple(CHECKS)
        profile = profile_frame(
            pl.scan_parquet(staged.path), key=table.key, date_column=table.date_column, null_counts=staged.null_counts
        )
    judgement = judge_rows(staged.path, table, profile, references or {}) if read_back == reported else None
    calendar = trading_calendar(table.calendar) if table.calendar is not None else None
    previous = base.file(partition) if base else None
    evidence = Evidence(
        table=table,
        partition=partition,
        schema=staged.schema,
        profile=profile,
        calendar=calendar,
        today=today,
        registered=registered,
        source_rows=source_rows,
        previous_rows=previous.rows if previous else None,
        neighbour_rows_per_session=_rows_per_session_before(table, partition, base, calendar),
        findings=judgement.findings if judgement else (),
        unjudged=judgement.unjudged if judgement else (),
        reported=reported,
        read_back=read_back,
    )
    return tuple(CHECKS[kind](evidence) for kind in kinds)


def _read_back(staged: StagedFile) -> FileFacts:
    """What the file on the disk says of itself; no rows where its footer cannot be read."""
    try:
        with pq.ParquetFile(staged.path) as file:
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError):
        rows = 0
    return FileFacts(hash_file(staged.path), staged.path.stat().st_size, rows)


def _unread(staged: StagedFile) -> Profile:
    return Profile(staged.rows, staged.null_counts, dates=(), spans=None, duplicate_keys=0, disorder=0)


def _rows_per_session_before(
    table: Table, partition: str, base: SyncManifest | None, calendar: TradingCalendar | None
) -> float | None:
    """Rows per session in the year before; None where that year is not published, or rows stand on no sessions."""
    if base is None or calendar is None or table.partitioning is not Partitioning.YEAR:
        return None
    entry = base.file(str(int(partition) - 1))
    if entry is None or entry.min_date is None or entry.max_date is None:
        return None
    sessions = len(calendar.trading_days_between(entry.min_date, entry.max_date))
    return entry.rows / sessions if sessions else None


def failures(results: tuple[CheckResult, ...]) -> tuple[str, ...]:
    """Why a partition was refused, a sentence for each check that failed."""
    return tuple(f"{r.validation_type.value}: {r.message}" for r in results if r.status is Status.FAILED)


def as_published(results: tuple[CheckResult, ...]) -> tuple[FileCheck, ...]:
    """The verdicts as a manifest keeps them. A failed one has no place there: nothing with it is published."""
    return tuple(
        FileCheck(
            validation_type=result.validation_type.value,
            status="warning" if result.status is Status.WARNING else "passed",
            expected=result.expected,
            actual=result.actual,
            message=result.message,
        )
        for result in results
    )


def from_published(checks: tuple[FileCheck, ...]) -> tuple[CheckResult, ...]:
    """The verdicts under which a file was published."""
    return tuple(
        CheckResult(
            ValidationType(check.validation_type), Status(check.status), check.expected, check.actual, check.message
        )
        for check in checks
        if check.validation_type in set(ValidationType)  # a later version may know others
    )
