"""The drill: restore the newest backup into an empty home, prove that it is whole and usable, and measure.

A backup that was never restored is a hope. The drill fails when anything differs from what was published, when the
newest set is older than allowed (the recovery point), or when restoring took longer than allowed (the recovery time).
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError
from pydantic import BaseModel, ConfigDict

from data_platform.catalog import TABLES
from data_platform.errors import ChecksumMismatchError, ConfigurationError
from data_platform.records.connection import Records, open_records
from data_platform.records.embedded.layout import layout_of
from data_platform.records.private_files import private_folder, write_private
from data_platform.settings import Settings
from data_platform.sync.backing_up import note
from data_platform.sync.restoring_home import clear_home, require_whole_chains, restore_home
from data_platform.warehouse import FileEntry, SyncManifest, Warehouse, layout
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.verify import verify_table

RECOVERY_POINT: Final = dt.timedelta(hours=24)
RECOVERY_TIME: Final = dt.timedelta(hours=4)

_PREFIX: Final = "drill-"

Progress = Callable[[int, int], None]
"""Called with the bytes received just now and the number in all."""


class DrilledTable(BaseModel):
    """What was checked of one table: files hashed and read, versions compared with those of the live warehouse."""

    model_config = ConfigDict(frozen=True)

    table: str
    versions: int
    files: int
    rows: int
    compared_versions: int
    problems: tuple[str, ...]


class DrillReport(BaseModel):
    """The outcome of a drill. Passed when `failures` is empty."""

    model_config = ConfigDict(frozen=True)

    set_id: str
    started_at: dt.datetime
    recovery_point_hours: float
    recovery_point_limit_hours: float
    recovery_time_hours: float
    recovery_time_limit_hours: float
    files: int
    bytes: int
    tables: tuple[DrilledTable, ...]
    records: dict[str, int]
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the backup can be relied upon."""
        return not self.failures


def drill(
    settings: Settings,
    live: Warehouse,
    records: Records,
    backups: Backups,
    *,
    user: str,
    progress: Progress,
    point_limit: dt.timedelta = RECOVERY_POINT,
    time_limit: dt.timedelta = RECOVERY_TIME,
) -> DrillReport:
    """Run a drill, keep its report in the home's `backups/drills/`, and note it in `platform_audit`.

    The restored home lies in the home, or where its path would be too long for a socket in the system's temporary
    folder; it is removed in the end. The records are always loaded into an embedded server.

    Raises:
        UsageError: when there is no backup.
        LockBusyError: when another drill is at work.
        ChecksumMismatchError: when the set's index is damaged.
        DatabaseUnavailableError, DestinationError, DiskSpaceError: when restoring fails for want of these.
    """
    started_at = dt.datetime.now(dt.UTC)
    backup = backups.get(None)
    with backups.drilling(), _temporary_folder(backups.folder) as folder:
        home = folder / "h"
        begun = time.monotonic()
        own = settings.model_copy(update={"postgres_url": None, "home": home})
        counts: dict[str, int] = {}
        try:
            restored = restore_home(own, backups, backup, home, user=user, progress=progress)
            if backup.records_owner is not None:
                with open_records(own) as restored_records:
                    counts = require_whole_chains(restored_records, home)
            damage = [f"{finding.key}: {finding.message}" for finding in restored.findings]
        except ChecksumMismatchError as error:
            damage = [error.message]
        took = dt.timedelta(seconds=time.monotonic() - begun)
        warehouse = Warehouse(home / "warehouse")
        tables = tuple(check_table(warehouse, live, table) for table in warehouse.tables())
    age = started_at - backup.created_at
    failures = (
        *judge_times(age, took, point_limit, time_limit),
        *damage,
        *(f"{table.table}: {problem}" for table in tables for problem in table.problems),
    )
    report = DrillReport(
        set_id=backup.id,
        started_at=started_at,
        recovery_point_hours=age / dt.timedelta(hours=1),
        recovery_point_limit_hours=point_limit / dt.timedelta(hours=1),
        recovery_time_hours=took / dt.timedelta(hours=1),
        recovery_time_limit_hours=time_limit / dt.timedelta(hours=1),
        files=len(backup.files),
        bytes=backup.bytes,
        tables=tables,
        records=counts,
        failures=failures,
    )
    reports = private_folder(backups.folder / "drills")
    write_private(reports / f"{started_at:%Y%m%dT%H%M%SZ}.json", report.model_dump_json(indent=1))
    used: dict[str, object] = {"key": backups.keyring.newest.name, "objects": report.files, "bytes": report.bytes}
    note(records, user, "backup.drill", backup.id, {**used, "passed": report.passed})
    return report


def judge_times(
    age: dt.timedelta, took: dt.timedelta, point_limit: dt.timedelta, time_limit: dt.timedelta
) -> list[str]:
    """Say which of the two limits was missed; at the limit is within it."""
    failures: list[str] = []
    if age > point_limit:
        failures.append(f"the newest backup is {_hours(age)} old; at most {_hours(point_limit)} are allowed")
    if took > time_limit:
        failures.append(f"restoring took {_hours(took)}; at most {_hours(time_limit)} are allowed")
    return failures


def check_table(restored: Warehouse, live: Warehouse, table: str) -> DrilledTable:
    """Hash every file of a restored table, read each, and compare its versions with the live ones."""
    report = verify_table(restored.store, table)
    problems = [problem.message for problem in report.problems]
    manifests: list[SyncManifest] = []
    compared = 0
    for number in restored.manifests(table).numbers():
        try:
            manifests.append(restored.manifests(table).load(number))
        except ChecksumMismatchError:
            continue  # among the problems already
    live_numbers = set(live.manifests(table).numbers())
    for manifest in manifests:
        if manifest.manifest_version in live_numbers:
            compared += 1
            difference = _difference(manifest, live)
            problems += [difference] if difference else []
    files = {entry.sha256: entry for manifest in manifests for entry in manifest.files}
    date_column = TABLES[table].date_column if table in TABLES else None
    rows = 0
    for path, entry in ((restored.store.path(layout.blob(entry.sha256)), entry) for entry in files.values()):
        if path.exists():
            rows += entry.rows
            problem = query_file(path, entry, date_column)
            problems += [problem] if problem else []
    return DrilledTable(
        table=table,
        versions=len(manifests),
        files=report.files_checked,
        rows=rows,
        compared_versions=compared,
        problems=tuple(problems),
    )


def query_file(path: Path, entry: FileEntry, date_column: str | None) -> str | None:
    """Count a file's rows and find its first and last date; say how they differ from what was published."""
    wanted = [pl.len().alias("rows")]
    if date_column is not None:
        wanted += [pl.col(date_column).min().alias("first"), pl.col(date_column).max().alias("last")]
    try:
        found = pl.scan_parquet(path).select(wanted).collect().row(0)
    except (PolarsError, OSError) as error:
        return f"partition {entry.partition} can't be read: {type(error).__name__}"
    published = (entry.rows, entry.min_date, entry.max_date)[: len(found)]
    return None if found == published else f"partition {entry.partition} does not hold the rows or dates it should"


def _difference(manifest: SyncManifest, live: Warehouse) -> str | None:
    number = manifest.manifest_version
    try:
        same = live.manifests(manifest.table).load(number).checksum == manifest.checksum
    except ChecksumMismatchError:
        return f"version {number} is damaged in the live warehouse; the backup's is sound"
    return None if same else f"version {number} differs from the live warehouse's"


def _hours(span: dt.timedelta) -> str:
    return f"{span / dt.timedelta(hours=1):.1f} hours"


@contextmanager
def _temporary_folder(beside: Path) -> Generator[Path]:
    for left_behind in beside.glob(f"{_PREFIX}*"):
        for home in left_behind.iterdir():
            clear_home(home)
        shutil.rmtree(left_behind)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside if _fits(beside / f"{_PREFIX}12345678") else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fits(folder: Path) -> bool:
    try:
        layout_of(folder / ".h~")
    except ConfigurationError:
        return False
    return True
