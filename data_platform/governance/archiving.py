"""Archiving what lies outside the records' tables before it is deleted there, for administrators.

It goes where retention's archives go: a compressed and encrypted file in the home, named by the table `archives`, so
that backups hold it, a rotation of the audit's key reaches it, and `data-platform audit` lists and prints it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from data_platform.governance.audit_key import open_cipher
from data_platform.governance.permissions import User, require_administrator
from data_platform.records import archives, platform_audit
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.archives import Archive
from data_platform.records.connection import Records
from data_platform.records.retention import keeping
from data_platform.settings import Settings


def archive_documents(
    records: Records,
    settings: Settings,
    user: User,
    name: str,
    documents: Sequence[Mapping[str, object]],
    span: tuple[dt.datetime, dt.datetime],
) -> Archive:
    """Write documents to an archive of `name`, which stands for a table, and return it once it counts.

    `span` is the time of the first and of the last document. Two archives must not have the same content.

    Raises:
        NotPermittedError: for everyone but administrators.
        LockBusyError: when rows are being archived, verified or encrypted anew.
        ConfigurationError: when no key is given to encrypt archives with.
        ChecksumMismatchError: when what lies on the disk is not what was written.
        DatabaseUnavailableError: when the archive could not be written down; it does not count then.
    """
    require_administrator(user)
    with keeping(records.databases) as connection:
        written = ArchiveFiles(settings.home).write(name, documents, open_cipher(settings))
        archive = Archive(name, written.name, written.sha256, len(documents), *span)
        with connection.transaction():
            archives.add(connection, archive)
    gone: dict[str, object] = {"rows": archive.row_count, "file": archive.file_name}
    platform_audit.note(records, user.user_id, "retention.archive", subject=name, new_value=gone)
    return archive
