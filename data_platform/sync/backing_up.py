"""Backing up a home: the warehouse, dumps of the databases, archived rows, and the secrets that these need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from data_platform.errors import DatabaseUnavailableError, LockBusyError, PlatformError
from data_platform.records import platform_audit
from data_platform.records.archive_files import FOLDER as ARCHIVES
from data_platform.records.connection import Records
from data_platform.records.dumping import dump_records
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.rotating import RotationReport
from data_platform.warehouse.backup.running import BackupPlan, BackupReport, Extras
from data_platform.warehouse.backup.selecting import Candidate, candidate
from data_platform.warehouse.backup.sets import Kind

MADE: Final = "backup.run"
FAILED: Final = "backup.failed"
"""What the audit calls a backup that was made, and one that failed."""

DUMPS: Final = "restored"
SECRETS: Final = "secrets"
OUTSIDE: Final = frozenset({DUMPS, SECRETS, ARCHIVES})
"""The folders of a home, beside the warehouse, whose files a set holds."""

Progress = Callable[[int, int], None]
"""Called with the bytes that went by just now and the number in all."""


def back_up(
    settings: Settings,
    warehouse: Warehouse,
    records: Records,
    backups: Backups,
    kind: Kind,
    *,
    user: str,
    progress: Progress,
) -> BackupReport:
    """Make a backup of a home and note it in `platform_audit`, also when it fails.

    Raises:
        DatabaseUnavailableError: when a database can't be dumped; there is no new set.
        DestinationError, DiskSpaceError: when the place fails; there is no new set, the next run continues.
        LockBusyError: when another backup is at work, or files are being swept.
    """
    try:
        with backups.exclusive(), backups.work() as folder:
            dumps = dump_records(records.databases, settings.home, folder)
            # After the dumps, so that an archive that they name is there; before the keys, which keep what it is under.
            files = (*(candidate(f"{DUMPS}/{path.name}", path) for path in dumps.files), *_kept_beside(settings.home))
            report = backups.run(warehouse, kind, Extras(files, dumps.owner), progress)
    except LockBusyError:
        raise  # another one is at work, and says itself what becomes of it
    except PlatformError as error:
        with suppress(DatabaseUnavailableError):
            note(records, user, FAILED, kind, {"error": type(error).__name__})
        raise
    note(
        records,
        user,
        MADE,
        report.set_id,
        {"key": backups.keyring.newest.name, "objects": report.sent_files, "bytes": report.sent_bytes},
    )
    return report


def plan_backup(settings: Settings, warehouse: Warehouse, backups: Backups) -> BackupPlan:
    """Say what a backup would send, beside the dumps of the databases, which are made anew; nothing is written.

    Raises:
        ConfigurationError, DestinationError: when the place can't be read.
        LockBusyError: when files are being swept for more than a minute.
    """
    return backups.plan(warehouse, Extras(tuple(_kept_beside(settings.home))))


def rotate_key(records: Records, backups: Backups, *, user: str, progress: Progress) -> RotationReport:
    """Encrypt every backup again with the newest key and note it in `platform_audit`.

    Raises:
        ConfigurationError: when something is under a key that is not given.
        DestinationError, DiskSpaceError: when the place fails; run it again to continue.
        LockBusyError: when a backup is at work.
    """
    with backups.exclusive():
        report = backups.rotate(progress)
    name = backups.keyring.newest.name
    used: dict[str, object] = {"key": name, "objects": report.objects, "bytes": report.bytes, "sets": report.sets}
    note(records, user, "backup.rotate", name, {**used, "replaced": list(report.replaced_keys)})
    return report


def note(records: Records, user: str, action: str, subject: str, used: dict[str, object]) -> None:
    """Append the use of a key to `platform_audit`; `used` names it and never holds it."""
    platform_audit.note(records, user, action, subject=subject, new_value=used)


def _kept_beside(home: Path) -> Iterator[Candidate]:
    """What a home keeps beside the warehouse and its databases."""
    return (file for part in (ARCHIVES, SECRETS) for file in _files_in(home, part))


def _files_in(home: Path, folder: str) -> list[Candidate]:
    # A name with a leading dot is a draft that is about to be renamed.
    paths = sorted(path for path in (home / folder).rglob("*") if path.is_file() and not path.name.startswith("."))
    return [candidate(path.relative_to(home).as_posix(), path) for path in paths]
