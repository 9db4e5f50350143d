"""Retention of the operational records, for administrators: what would go, and letting it go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_platform.governance.audit_key import open_cipher
from data_platform.governance.permissions import User, require_administrator
from data_platform.governance.result_files import remove_result
from data_platform.records import platform_audit, retention
from data_platform.records.archive_files import ArchiveFiles
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


def apply_retention(
    records: Records, settings: Settings, user: User, now: dt.datetime | None = None
) -> list[TableRetention]:
    """Archive what is older than its table keeps, then delete it; results of expired requests are deleted too.

    Raises:
        NotPermittedError, LockBusyError: as `plan_retention` does.
        ConfigurationError: when no key is given to encrypt archives with.
        ChecksumMismatchError: when an audit chain does not hold; the tables before it are done.
    """
    require_administrator(user)
    cipher, files = open_cipher(settings), ArchiveFiles(settings.home)
    exports = settings.warehouse_root / "exports"

    def forget(row: Mapping[str, Any]) -> None:
        if row.get("result_location"):
            remove_result(exports, Path(row["result_location"]))

    reports: list[TableRetention] = []
    with keeping(records.databases) as connection:
        moment = now or retention.clock_of(connection)
        for policy in POLICIES:
            report = retention.apply(connection, policy, moment, files, cipher, forget=forget)
            reports.append(report)
            if report.rows:
                gone: dict[str, object] = {"rows": report.rows, "files": list(report.files)}
                platform_audit.note(records, user.user_id, "retention.archive", subject=report.table, new_value=gone)
    return reports
