"""Archive files: rows as lines of JSON, compressed, encrypted under the audit's key, in a folder of the home.

A file is named by the content that it had before it was encrypted. Which files count is known by the table `archives`;
a file that it does not name was left by a run that ended before its commit, or belongs to another database.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, cast

from data_platform.errors import ChecksumMismatchError, ConfigurationError
from data_platform.records.chain import plain
from data_platform.records.private_files import private_folder, write_private

FOLDER: Final = "archives"
"""In the home."""

_SUFFIX: Final = ".jsonl.gz.fernet"


class Cipher(Protocol):
    """What the files need of a key."""

    def encrypt_bytes(self, content: bytes) -> bytes:
        """Encrypt with the newest key."""
        ...

    def decrypt_bytes(self, stored: bytes) -> bytes:
        """Decrypt with any key."""
        ...

    def decrypt(self, stored: bytes) -> str:
        """Decrypt a text."""
        ...

    def renewed(self, stored: bytes) -> bytes | None:
        """Encrypt with the newest key what is under another; None when it is under that one already."""
        ...


@dataclass(frozen=True, slots=True)
class WrittenArchive:
    """A file that is on the disk: its name below the folder, and the SHA-256 of its content."""

    name: str
    sha256: str


class ArchiveFiles:
    """The archives of one home."""

    def __init__(self, home: Path) -> None:
        self.root = home / FOLDER

    def write(self, table: str, documents: Sequence[Mapping[str, object]], cipher: Cipher) -> WrittenArchive:
        """Write documents to a new file, read it back, and return its name.

        Raises:
            ChecksumMismatchError: when what lies on the disk is not what was written.
        """
        content = b"".join(json.dumps(document, default=str).encode() + b"\n" for document in documents)
        written = WrittenArchive(name=f"{table}/{_digest(content)[:32]}{_SUFFIX}", sha256=_digest(content))
        path = self.root / written.name
        private_folder(path.parent)
        write_private(path, cipher.encrypt_bytes(gzip.compress(content, mtime=0)))
        self._content(written.name, written.sha256, cipher)
        return written

    def read(self, name: str, sha256: str, cipher: Cipher) -> Iterator[dict[str, Any]]:
        """Return the documents of a file, whose content must have this hash.

        Raises:
            ChecksumMismatchError: when the file is gone, damaged, another, or under a key that is not given.
        """
        lines = self._content(name, sha256, cipher).splitlines()
        return (cast("dict[str, Any]", json.loads(line)) for line in lines)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def renew(self, name: str, sha256: str, cipher: Cipher) -> bool:
        """Encrypt a file with the newest key; return whether it was under another.

        Raises:
            ChecksumMismatchError: as `read` does.
        """
        self._content(name, sha256, cipher)
        path = self.root / name
        fresh = cipher.renewed(path.read_bytes())
        if fresh is None:
            return False
        write_private(path, fresh)
        return True

    def _content(self, name: str, sha256: str, cipher: Cipher) -> bytes:
        path = self.root / name
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            raise ChecksumMismatchError(f"The archive {path} is gone.", hint="Get it back from a backup.") from None
        try:
            content = gzip.decompress(cipher.decrypt_bytes(stored))
        except ConfigurationError as error:
            raise ChecksumMismatchError(
                f"The archive {path} is damaged, or under a key that is not given.", hint=error.hint
            ) from None
        except (OSError, EOFError, zlib.error):
            content = b""
        if _digest(content) != sha256:
            raise ChecksumMismatchError(
                f"The archive {path} does not hold what was archived.", hint="Get it back from a backup."
            )
        return content


def document_of(row: Mapping[str, object], encrypted: Iterable[str], cipher: Cipher) -> dict[str, object]:
    """Return a row as it is archived: values as JSON has them, and encrypted columns as the text that they hold.

    Raises:
        ConfigurationError: when a column is under a key that is not given.
    """
    document = {name: plain(value) for name, value in row.items()}
    for name in encrypted:
        stored = row[name]
        if isinstance(stored, bytes):
            document[name] = cipher.decrypt(stored)
    return document


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
