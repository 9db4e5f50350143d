"""Judging a staged partition: gather what the validators need, run them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
    Judgement,
    Profile,
    Status,
    TradingCalendar,
    ValidationType,
    judge_rows,
    profile_frame,
    trading_calendar,
)
from data_platform.quality.anomalies import NO_HISTORY, Anomaly, History, Inspection, Statistics, detect
from data_platform.quality.blocks import blocks
from data_platform.quality.contracts import needed_columns
from data_platform.quality.coverage import Coverage, coverage_of
from data_platform.quality.results import worst
from data_platform.warehouse import FileCheck, StagedFile, SyncManifest
from data_platform.warehouse.integrity import hash_file


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of a staged partition: a result of each validator, and what these were made of.

    `statistics` and `coverage` are those of the file; None for a file that could not be read as its table's.
    """

    results: tuple[CheckResult, ...]
    anomalies: tuple[Anomaly, ...] = ()
    statistics: Statistics | None = None
    coverage: Coverage | None = None

    @property
    def failed(self) -> bool:
        """Whether the partition may not be published."""
        return worst(self.results) is Status.FAILED


@dataclass(frozen=True, slots=True)
class Known:
    """What a partition is judged by besides itself.

    `base` is the latest version and `registered` its columns and types, `source_rows` the source's own count, each None
    when there is none. `references` are rows of the other tables that the table's rules name, where these are
    published; `history` are the figures of other versions and of neighbouring partitions.
    """

    today: dt.date
    base: SyncManifest | None = None
    registered: Mapping[str, str] | None = None
    source_rows: int | None = None
    references: Mapping[str, pl.LazyFrame] = field(default_factory=dict[str, pl.LazyFrame])
    history: History = NO_HISTORY


def judge(table: Table, partition: str, staged: StagedFile, known: Known, *, accept_anomalies: bool = False) -> Verdict:
    """Run every validator on a staged file; with `accept_anomalies` those of error grade are warnings.

    A file that is not the one that was written is judged no further, and one with other columns than declared not by
    its rows.
    """
    reported = FileFacts(staged.sha256, staged.bytes, staged.rows)
    read_back, sound = _read_back(staged), False
    if read_back != reported:
        kinds, profile = (ValidationType.CHECKSUM,), _unread(staged)
    elif columns_of(staged.schema) != columns_of(table.arrow_schema):
        kinds, profile = (ValidationType.SCHEMA, ValidationType.CONTRACT, ValidationType.CHECKSUM), _unread(staged)
    else:
        sound, kinds = True, tuple(CHECKS)
        profile = profile_frame(
            pl.scan_parquet(staged.path), key=table.key, date_column=table.date_column, null_counts=staged.null_counts
        )
    judgement, anomalies, statistics = Judgement(()), (), None
    if sound:
        judgement, anomalies, statistics = _rows_judged(table, partition, staged.path, profile, known)
    elif read_back == reported:
        judgement = judge_rows(staged.path, table, profile, known.references)
    calendar = trading_calendar(table.calendar) if table.calendar is not None else None
    previous = known.base.file(partition) if known.base else None
    evidence = Evidence(
        table=table,
        partition=partition,
        schema=staged.schema,
        profile=profile,
        calendar=calendar,
        today=known.today,
        registered=known.registered,
        source_rows=known.source_rows,
        previous_rows=previous.rows if previous else None,
        neighbour_rows_per_session=_rows_per_session_before(table, partition, known.base, calendar),
        findings=judgement.findings,
        unjudged=judgement.unjudged,
        reported=reported,
        read_back=read_back,
        anomalies=anomalies,
        anomalies_accepted=accept_anomalies,
    )
    return Verdict(
        results=tuple(CHECKS[kind](evidence) for kind in kinds),
        anomalies=anomalies,
        statistics=statistics,
        coverage=coverage_of(profile, calendar) if sound else None,
    )


def _rows_judged(
    table: Table, partition: str, path: Path, profile: Profile, known: Known
) -> tuple[Judgement, tuple[Anomaly, ...], Statistics]:
    """What the contract finds, what looks wrong, and the statistics, from one reading of the file."""
    inspection = Inspection(table, path, profile)
    wanted = tuple(dict.fromkeys((*needed_columns(table), *inspection.columns)))
    judgement = judge_rows(path, table, profile, known.references, inspection.through(blocks(path, wanted)))
    statistics, suspects = inspection.result()
    anomalies = detect(
        table, partition, path, statistics, known.history, profile=profile, today=known.today, suspects=suspects
    )
    return judgement, anomalies, statistics


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
