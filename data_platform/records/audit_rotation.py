"""Encrypting every kept query text anew, under the newest key: in the tables, and in the archives.

It goes row by row and can be repeated: what is under the newest key already is left alone. The audit's hashes cover
the texts' digests, so the chain holds as before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from psycopg import sql
from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, ConfigurationError
from data_platform.records import archives
from data_platform.records.archive_files import ArchiveFiles, Cipher
from data_platform.records.archives import OWNER_ROWS
from data_platform.records.chain import QUERY_AUDIT, head_of

_BATCH: Final = 500
_TEXTS: Final = (
    (QUERY_AUDIT.table, ("query_text",)),
    ("query_requests", ("query_text", "parameters", "error_message")),
)

Progress = Callable[[int, int], None]
"""Called with the audit rows that were passed just now and the number in all."""


class KeyRotation(BaseModel):
    """What was encrypted anew, and what could not be: `findings` name it, `old_form` counts audit texts of old rows.

    The hash of an old row covers its text as it was encrypted, so the text keeps its key until the row is archived.
    """

    model_config = ConfigDict(frozen=True)

    texts: int
    renewed: int
    archives_renewed: int
    old_form: int
    findings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is under an older key any more."""
        return not self.findings and not self.old_form


def rotate(
    connection: OWNER_ROWS, files: ArchiveFiles, cipher: Cipher, progress: Progress | None = None
) -> KeyRotation:
    """Encrypt everything under the newest key of `cipher`; needs the tables' owner."""
    texts = renewed = old_form = 0
    findings: list[str] = []
    end = head_of(connection, QUERY_AUDIT).id
    for table, columns in _TEXTS:
        after: Any = None
        while rows := _rows_after(connection, table, columns, after):
            fresh: list[dict[str, object]] = []
            for row in rows:
                try:
                    values = {name: cipher.renewed(row[name]) for name in columns if row[name] is not None}
                except ConfigurationError:
                    findings.append(f"{table}: the text of row {row['id']} is under a key that is not given")
                    continue
                texts += len(values)
                if row.get("old_form"):
                    old_form += any(values.values())
                elif any(values.values()):
                    fresh.append({"id": row["id"], **{name: values.get(name) or row[name] for name in columns}})
            _store(connection, table, columns, fresh)
            renewed += len(fresh)
            if progress and table == QUERY_AUDIT.table:
                progress(int(rows[-1]["id"]) - int(after or 0), end)
            after = rows[-1]["id"]
    archived, problems = _rotate_archives(connection, files, cipher)
    return KeyRotation(
        texts=texts,
        renewed=renewed,
        archives_renewed=archived,
        old_form=old_form,
        findings=(*findings, *problems),
    )


def _rotate_archives(connection: OWNER_ROWS, files: ArchiveFiles, cipher: Cipher) -> tuple[int, list[str]]:
    renewed, findings = 0, list[str]()
    for archive in archives.every(connection):
        try:
            renewed += files.renew(archive.file_name, archive.sha256, cipher)
        except ChecksumMismatchError as error:
            findings.append(error.message)
    return renewed, findings


def _rows_after(connection: OWNER_ROWS, table: str, columns: Sequence[str], after: object) -> list[dict[str, Any]]:
    old_form = sql.SQL(", query_text_sha256 IS NULL AS old_form" if table == QUERY_AUDIT.table else "")
    return connection.execute(
        sql.SQL("SELECT id, {}{} FROM {} WHERE query_text IS NOT NULL{} ORDER BY id LIMIT {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            old_form,
            _table(table),
            sql.SQL("") if after is None else sql.SQL(" AND id > {}").format(sql.Literal(after)),
            _BATCH,
        )
    ).fetchall()


def _store(connection: OWNER_ROWS, table: str, columns: Sequence[str], rows: Sequence[dict[str, object]]) -> None:
    statement = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(
        _table(table),
        sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in columns),
        sql.Placeholder("id"),
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier("platform", name)
