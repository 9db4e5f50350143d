"""Following an audit chain from its first row to its last: through the archives, the table, and to the head.

What the database says of itself is compared with two things outside of it: the archive files, and the witness, a note
in the home of the last row that an earlier verification saw. Whoever rewrites the tables and their heads, as their
owner and the server's superuser can, would have to rewrite these too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError
from data_platform.records import archives
from data_platform.records.archive_files import ArchiveFiles, Cipher
from data_platform.records.archives import Archive
from data_platform.records.chain import Chain, Head, beyond_head, head_of, read_chain
from data_platform.records.chain_check import Break, ChainFollower
from data_platform.records.private_files import private_folder, write_private

WITNESS: Final = "audit_witness.json"

Progress = Callable[[int, int], None]
"""Called with the rows that were followed just now and the number in all."""


class ChainReport(BaseModel):
    """What following one chain came to; `last_hash` is that of its last row, `breaks` is empty when it holds."""

    model_config = ConfigDict(frozen=True)

    chain: str
    rows: int
    archived_rows: int
    archives_read: bool
    texts_checked: int
    last_row: int
    last_hash: str
    breaks: tuple[Break, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.breaks


def verify_chain(
    connection: psycopg.Connection[dict[str, Any]],
    chain: Chain,
    files: ArchiveFiles,
    cipher: Cipher | None = None,
    *,
    witness: Head | None = None,
    progress: Progress | None = None,
) -> ChainReport:
    """Follow a chain; needs a scope that sees everything. Rows that are appended meanwhile are left out.

    Without a cipher neither archives nor texts are read: of an archive only its place in the chain is checked.

    Raises:
        LockBusyError: when rows are being archived.
    """
    archives.hold_still(connection)
    end = head_of(connection, chain)
    kept = archives.of_table(connection, chain.table)
    follower = ChainFollower(decrypt=_reader(cipher))
    seen = _Witness(witness, follower)
    for archive in kept:
        _follow_archive(follower, seen, files, archive, cipher)
        if progress:
            progress(archive.row_count, end.id)
    archived = follower.head.id
    for row in read_chain(connection, chain, after=follower.head.id, up_to=end.id):
        follower.feed((row,))
        seen.look(follower.head)
        if progress:
            progress(1, end.id)
    follower.close(end)
    seen.close(end)
    if (foreign := beyond_head(connection, chain)) is not None:
        follower.report(foreign, "out_of_place", f"row {foreign} was put in at the end")
    return ChainReport(
        chain=chain.table,
        rows=follower.rows,
        archived_rows=archived,
        archives_read=cipher is not None and bool(kept),
        texts_checked=follower.texts_checked,
        last_row=end.id,
        last_hash=end.hash,
        breaks=tuple(follower.breaks),
    )


def read_witness(home: Path) -> dict[str, Head]:
    """Return the last row of each chain that an earlier verification saw; nothing when there was none.

    Raises:
        ChecksumMismatchError: when the note can't be understood.
    """
    path = home / WITNESS
    if not path.exists():
        return {}
    try:
        noted = cast("Mapping[str, Mapping[str, Any]]", json.loads(path.read_text(encoding="utf-8")))
        return {chain: Head(int(head["row"]), str(head["hash"])) for chain, head in noted.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ChecksumMismatchError(
            f"{path} can't be understood: it is the note of the last verification.",
            hint="Find out who changed it; move it away to begin anew.",
        ) from None


def write_witness(home: Path, heads: Mapping[str, Head]) -> None:
    """Note the last row of each chain, after they were found to hold."""
    write_private(
        private_folder(home) / WITNESS,
        json.dumps({chain: {"row": head.id, "hash": head.hash} for chain, head in heads.items()}, indent=1) + "\n",
    )


class _Witness:
    """Waits for the row that was seen before, and says when it is another or never came."""

    def __init__(self, expected: Head | None, follower: ChainFollower) -> None:
        self._expected = expected
        self._follower = follower

    def look(self, head: Head) -> None:
        if self._expected is None or head.id != self._expected.id:
            return
        if head.hash != self._expected.hash:
            message = f"row {head.id} is another than the last verification saw"
            self._follower.report(head.id, "witness", message)
        self._expected = None

    def close(self, end: Head) -> None:
        if self._expected is not None and self._expected.id > end.id:
            message = f"the last verification saw {self._expected.id:,} rows, now there are {end.id:,}"
            self._follower.report(self._expected.id, "witness", message)


def _follow_archive(
    follower: ChainFollower, seen: _Witness, files: ArchiveFiles, archive: Archive, cipher: Cipher | None
) -> None:
    if archive.first_id != follower.head.id + 1 or archive.previous_hash != follower.head.hash:
        follower.report(archive.first_id or 0, "archive", f"{archive.file_name} does not follow row {follower.head.id}")
    if not files.exists(archive.file_name):
        follower.report(archive.first_id or 0, "archive", f"the archive {archive.file_name} is gone")
    elif cipher is not None:
        try:
            for row in files.read(archive.file_name, archive.sha256, cipher):
                follower.feed((row,))
                seen.look(follower.head)
        except ChecksumMismatchError as error:
            follower.report(archive.first_id or 0, "archive", error.message)
    if archive.end is not None and follower.head != archive.end:
        # Not read, not readable, or not what it should be: the chain goes on from what was written down of it.
        if cipher is not None and follower.head.id == archive.end.id:
            follower.report(archive.end.id, "archive", f"{archive.file_name} ends otherwise than was written down")
        follower.rows += archive.row_count if follower.head.id < (archive.first_id or 0) else 0
        follower.head = archive.end
    seen.look(follower.head)


def _reader(cipher: Cipher | None) -> Callable[[bytes | str], str] | None:
    """Texts in archives are text already."""
    if cipher is None:
        return None
    return lambda stored: stored if isinstance(stored, str) else cipher.decrypt(bytes(stored))
