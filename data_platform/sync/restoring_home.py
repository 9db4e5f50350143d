"""Restoring a home from a backup: whole or not at all, with records that work."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, LockBusyError, PlatformError
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.audit_verification import verify_chain
from data_platform.records.chain import CHAINS
from data_platform.records.connection import Records, connect_records, open_records
from data_platform.records.databases import open_databases
from data_platform.records.dumping import LOADING, PLATFORM_DUMP, load_records
from data_platform.records.embedded.credentials import SERVICE
from data_platform.records.embedded.layout import layout_of
from data_platform.records.embedded.service import open_embedded
from data_platform.records.migrations import migration_status
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sync.backing_up import DUMPS, OUTSIDE, SECRETS, note
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.restoring import require_empty
from data_platform.warehouse.backup.selecting import Finding, select
from data_platform.warehouse.backup.sets import BackupSet
from data_platform.warehouse.store import fsync_path, make_folder

Progress = Callable[[int, int], None]
"""Called with the bytes received just now and the number in all."""

_SCOPE: Final = Scope.system("restore")


class RestoredHome(BaseModel):
    """What was restored. `findings` is what the set itself could not hold.

    `load_command` loads the dumps that lie in the home when the records live on the user's own server. `noted` tells
    whether the audit of the platform that restored, if it has one, knows of it.
    """

    model_config = ConfigDict(frozen=True)

    set_id: str
    home: Path
    files: int
    bytes: int
    findings: tuple[Finding, ...]
    load_command: str | None
    noted: bool


def restore_home(
    settings: Settings, backups: Backups, backup: BackupSet, into: Path, *, user: str, progress: Progress
) -> RestoredHome:
    """Restore a set into a folder that is empty or does not exist; nothing of it shows before everything is there.

    With the embedded server the records are loaded, brought up to date and their audit chains checked, and the
    restore is noted in them. With the user's own server the dumps stay in the folder's `restored/`. The platform in
    whose name this runs notes it too, unless it is the one that was lost.

    Raises:
        UsageError: when the folder holds something.
        LockBusyError: when another restore into it is at work.
        ChecksumMismatchError: when an object or an audit chain is damaged.
        ConfigurationError: when the folder is unfit for a server.
        DatabaseUnavailableError, DestinationError, DiskSpaceError: when that fails.
    """
    require_empty(into)
    draft = into.with_name(f".{into.name}~")
    embedded = settings.postgres_url is None and backup.records_owner is not None
    if embedded:
        layout_of(draft)
    make_folder(draft)
    with _only_one(draft), _removed_on_failure(draft):
        clear_home(draft)
        backups.restore(backup, draft, OUTSIDE, progress)
        restored = Warehouse(draft / "warehouse")
        for sets in (restored.snapshots, restored.pins):
            sets.renew_twins()
        findings = select(restored).findings
        if embedded and backup.records_owner is not None:
            load_records(draft, draft / DUMPS, backup.records_owner)
            shutil.rmtree(draft / DUMPS)
            with open_records(settings.model_copy(update={"home": draft})) as records:
                require_whole_chains(records, draft)
                note(records, user, "backup.restore", backup.id, _used(backups, backup))
        draft.rename(into)
        fsync_path(into.parent)
    return RestoredHome(
        set_id=backup.id,
        home=into,
        files=len(backup.files),
        bytes=backup.bytes,
        findings=(*findings, *(Finding(key=key, message="had no sound copy when backed up") for key in backup.missing)),
        load_command=None if embedded or backup.records_owner is None else _load_command(into),
        noted=_note_here(settings, user, backup.id, _used(backups, backup)),
    )


def require_whole_chains(records: Records, home: Path) -> dict[str, int]:
    """Check both audit chains to their ends, and that their archives are there; return the number of rows of each.

    Raises:
        ChecksumMismatchError: naming the table and the first row that does not follow from those before.
    """
    counts: dict[str, int] = {}
    with records.transaction(_SCOPE) as connection:
        for chain in CHAINS:
            report = verify_chain(connection, chain, ArchiveFiles(home))
            if not report.holds:
                raise ChecksumMismatchError(
                    f"The audit chain of {chain.table} does not hold: {report.breaks[0].message}.",
                    hint="Restore an older set, and find out who changed the table.",
                )
            counts[chain.table] = report.rows
    return counts


def _used(backups: Backups, backup: BackupSet) -> dict[str, object]:
    return {"key": backups.keyring.newest.name, "objects": len(backup.files), "bytes": backup.bytes}


def _note_here(settings: Settings, user: str, set_id: str, used: dict[str, object]) -> bool:
    """Note a restore in the records of the running platform; a lost one is not begun anew for the sake of a note."""
    embedded = layout_of(settings.home).data
    own = settings.home / SECRETS / f"{SERVICE}.password"
    if not (embedded if settings.postgres_url is None else own).exists():
        return False
    try:
        with open_databases(settings) as databases:
            if not all(state.applied for state in migration_status(databases)):
                return False
            with connect_records(databases) as records:
                note(records, user, "backup.restore", set_id, used)
    except PlatformError:
        # What was restored stands; whoever restores because this platform is broken must not be stopped by it.
        return False
    return True


def _load_command(home: Path) -> str:
    return f"pg_restore {' '.join(LOADING)} --dbname=<an empty database> {home / DUMPS / PLATFORM_DUMP}"


@contextmanager
def _removed_on_failure(draft: Path) -> Generator[None]:
    try:
        yield
    except Exception:
        clear_home(draft)
        draft.rmdir()
        raise


@contextmanager
def _only_one(draft: Path) -> Generator[None]:
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockBusyError(
                f"Another restore into {draft.parent} is at work.", hint="Wait for it to finish, or end it."
            ) from None
        yield
    finally:
        os.close(descriptor)


def clear_home(home: Path) -> None:
    """Remove everything in a home that a killed restore left, its database server included."""
    if (home / "postgres" / "data").exists():
        # A lease that ends stops the server, whoever started it.
        with suppress(PlatformError), open_embedded(home):
            pass
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
