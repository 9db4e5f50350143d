"""Retention of the operational records, for administrators: what would go, and letting it go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_platform.errors import ChecksumMismatchError, ConfigurationError, PlatformError
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.permissions import User, require_administrator
from data_platform.governance.result_files import remove_folder, remove_result
from data_platform.records import platform_audit, retention
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.archives import Archive
from data_platform.records.connection import Records
from data_platform.records.retention import TableRetention, keeping
from data_platform.records.retention_policies import POLICIES
from data_platform.settings import Settings


def plan_retention(records: Records, user: User, now: dt.datetime | None = None) -> list[TableRetention]:
    """Say, table by table, what `apply_retention` would archive; writes nothing. `now` is the database's unless given.

    Raises:
        NotPermittedError: for everyone but administrators.
        LockBusyError: when rows are being archived, verified or encrypted anew.
    """
    require_administrator(user)
    with keeping(records.databases) as connection:
        moment = now or retention.clock_of(connection)
        return [retention.plan(connection, policy, moment) for policy in POLICIES]


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """What came of each table; `errors` are those that ended one of them early."""

    reports: list[TableRetention]
    errors: list[PlatformError]


def apply_retention(records: Records, settings: Settings, user: User, now: dt.datetime | None = None) -> RetentionRun:
    """Archive what is older than its table keeps, then delete it; results of expired requests are deleted too.

    A table whose chain does not hold, or with a text that can't be read, keeps its rows; the others go on.

    Raises:
        NotPermittedError, LockBusyError: as `plan_retention` does.
        ConfigurationError: when no key is given to encrypt archives with.
        DatabaseUnavailableError: when the database goes away; what was archived before stays archived.
    """
    require_administrator(user)
    cipher, files = open_cipher(settings), ArchiveFiles(settings.home)
    exports = settings.warehouse_root / "exports"

    def forget(row: Mapping[str, Any]) -> None:
        if row.get("result_location"):
            remove_result(exports, Path(row["result_location"]))
        if "result_location" in row:
            # Also what a run left that was killed before it could say where.
            remove_folder(exports, row["user_id"], row["id"])

    run = RetentionRun([], [])
    with keeping(records.databases) as connection:
        moment = now or retention.clock_of(connection)
        for policy in POLICIES:
            done: list[Archive] = []
            problem: str | None = None
            try:
                for archive in retention.apply(connection, policy, moment, files, cipher, forget=forget):
                    done.append(archive)
                    gone: dict[str, object] = {"rows": archive.row_count, "file": archive.file_name}
                    platform_audit.note(
                        records, user.user_id, "retention.archive", subject=policy.table, new_value=gone
                    )
            except (ChecksumMismatchError, ConfigurationError) as error:
                problem = error.message
                run.errors.append(error)
            run.reports.append(retention.report(policy, done, problem))
    return run
