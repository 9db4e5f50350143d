"""The audit for people: reading its rows and archives, following its chains, encrypting its texts anew.

Everybody may read what the audit has of themselves; the rest is for administrators. Each use of the key is an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from typing import Any

from data_platform.errors import ChecksumMismatchError, ConfigurationError, UsageError
from data_platform.governance.audit_key import begin_rotation, end_rotation, open_cipher
from data_platform.governance.permissions import User, is_administrator
from data_platform.governance.scopes import administration_scope, reading_scope
from data_platform.records import archives, audit_rotation, audit_verification, platform_audit, query_audit, texts
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.archives import Archive
from data_platform.records.audit_rotation import KeyRotation
from data_platform.records.audit_verification import ChainReport, read_witness, verify_chain, write_witness
from data_platform.records.chain import CHAINS, Head
from data_platform.records.connection import Records
from data_platform.records.platform_audit import AuditEntry
from data_platform.records.query_audit import AuditedQuery
from data_platform.records.retention import keeping
from data_platform.records.scope import Scope
from data_platform.settings import Settings


class AuditTrail:
    """The audit of one installation, as one user may use it.

    Every method raises `NotPermittedError` for those who may not, and `DatabaseUnavailableError` when the records are
    away.
    """

    def __init__(self, records: Records, settings: Settings, user: User) -> None:
        self._records = records
        self._settings = settings
        self._user = user
        self._files = ArchiveFiles(settings.home)

    def queries(self, user: str | None = None, dataset: str | None = None, limit: int = 100) -> list[AuditedQuery]:
        """The newest attempts, refusals and outcomes: all of them for administrators, else the caller's own."""
        with self._records.transaction(self._scope()) as connection:
            return query_audit.recent(connection, self._whose(user), dataset, limit)

    def actions(
        self,
        user: str | None = None,
        dataset: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """The newest entries of `platform_audit`: all of them for administrators, else the caller's own."""
        with self._records.transaction(self._scope()) as connection:
            return platform_audit.recent(
                connection, self._whose(user), limit, action=action, dataset=dataset, subject=subject
            )

    def texts_of(self, queries: list[AuditedQuery]) -> dict[int, str | None]:
        """The text of each query that has one, by the row's id; None where its key is not given. Noted as a key use.

        Raises:
            ConfigurationError: when no key is given.
        """
        cipher = open_cipher(self._settings)
        read: dict[int, str | None] = {}
        for query in queries:
            if query.query_text is not None:
                try:
                    read[query.id] = cipher.decrypt(query.query_text)
                except ConfigurationError:
                    read[query.id] = None
        if read:
            self._note("audit.read_texts", {"rows": len(read), "first": min(read), "last": max(read)})
        return read

    def verify(self, progress: audit_verification.Progress | None = None) -> list[ChainReport]:
        """Follow both chains, archives and texts included; when they hold, note how far they go.

        Raises:
            ChecksumMismatchError: when the note of the last verification can't be understood.
            ConfigurationError: when no key is given: archives and texts could not be looked at.
            LockBusyError: when rows are being archived.
        """
        scope = administration_scope(self._user)
        cipher = open_cipher(self._settings)
        witness = read_witness(self._settings.home)
        with self._records.transaction(scope) as connection:
            reports = [
                verify_chain(
                    connection, chain, self._files, cipher, witness=witness.get(chain.table), progress=progress
                )
                for chain in CHAINS
            ]
        holds = all(report.holds for report in reports)
        if holds:
            heads = {report.chain: Head(report.last_row, report.last_hash) for report in reports}
            write_witness(self._settings.home, heads)
        # A chain that takes no row any more must not keep its state from being told.
        with nullcontext() if holds else suppress(ChecksumMismatchError):
            self._note("audit.verify", {"holds": holds, "rows": {report.chain: report.rows for report in reports}})
        return reports

    def rotate_key(self, progress: audit_rotation.Progress | None = None) -> KeyRotation:
        """Encrypt every kept text, and every archive, under the newest key.

        Raises:
            ConfigurationError: when there is no key to change to.
            LockBusyError: when rows are being archived or verified.
        """
        administration_scope(self._user)
        with keeping(self._records.databases) as connection:
            cipher = begin_rotation(self._settings)
            # Before anything is under it: a rotation that is interrupted has used the keys too.
            self._note("audit.rotate", {"key": cipher.names[0], "older": list(cipher.names[1:])})
            report = audit_rotation.rotate(connection, self._files, cipher, progress)
            if report.complete:
                end_rotation(self._settings)
        counts: dict[str, object] = report.model_dump(mode="json", exclude={"findings"})
        self._note("audit.rotated", {**counts, "key": cipher.names[0], "findings": len(report.findings)})
        return report

    def archived(self) -> list[Archive]:
        """What was archived, table by table, oldest first."""
        with self._records.transaction(administration_scope(self._user)) as connection:
            return archives.every(connection)

    def read_archive(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The rows of one archive, as `archived` names it. Noted as a key use.

        Raises:
            UsageError: when there is no such archive.
            ChecksumMismatchError: when it is gone, damaged, or under a key that is not given.
        """
        found = next((archive for archive in self.archived() if archive.file_name == name), None)
        if found is None:
            raise UsageError(
                f"There is no archive {texts.shown(name)}.", hint="`data-platform audit archives` lists them."
            )
        rows = self._files.read(name, found.sha256, open_cipher(self._settings))
        self._note("audit.read_archive", {"archive": name, "rows": found.row_count})
        return rows

    def _whose(self, user: str | None) -> str | None:
        # Said in the query too, their own rows are found by an index; the policy alone would look at everybody's.
        return user if user is not None or is_administrator(self._user) else self._user.user_id

    def _scope(self) -> Scope:
        return administration_scope(self._user) if is_administrator(self._user) else reading_scope(self._user)

    def _note(self, action: str, value: dict[str, object]) -> None:
        platform_audit.note(self._records, self._user.user_id, action, new_value=value)
