"""Encrypted objects, named by the SHA-256 of their plain content, and the checks on the way in and out.

Content streams: a file is hashed while it is read and encrypted while it is written, whatever its size.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from io import BufferedIOBase, BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

import pyrage

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.keys import Key, Keyring
from data_platform.warehouse.store import fsync_path, no_space_is_clear, temporary_beside

OBJECTS: Final = "objects"
Progress = Callable[[int], None]
"""Called with the number of plain bytes that just went by."""

_SEND_AGAIN: Final = (
    "Use another set; or delete that object, and `data-platform backup run --kind weekly` sends it again."
)
_CHUNK: Final = 65_536
_TAG_BYTES: Final = 16
_NONCE_BYTES: Final = 16
_HEADER_BYTES: Final = range(100, 1_024)
"""An age header for one recipient: about 200 bytes, and up to 300 of random filling."""


def unwatched(_bytes: int) -> None:
    """Progress that nobody looks at."""


class Objects:
    """The objects at one place, under the keys of one keyring."""

    def __init__(self, destination: Destination, keyring: Keyring) -> None:
        self.destination = destination
        self.keyring = keyring

    def send(self, source: Path, sha256: str, progress: Progress = unwatched) -> int:
        """Encrypt a file with the newest key, and return the stored size in bytes.

        Raises:
            ChecksumMismatchError: when the file is gone or does not have that hash; then there is no object.
            DestinationError, DiskSpaceError: when the place fails.
        """
        written = 0

        def fill(sink: IO[bytes]) -> None:
            nonlocal written
            try:
                opened = source.open("rb")
            except OSError as error:
                raise _unreadable(source, error) from None
            with opened:
                reader, writer = _Watched(opened, progress), _Watched(sink)
                _pipe_in(reader, writer, self.keyring.newest, source)
            if reader.sha256 != sha256:
                raise ChecksumMismatchError(f"{source.name} does not have the content that was published.")
            written = writer.bytes

        self.destination.write(object_key(self.keyring.newest, sha256), fill)
        return written

    def fetch(self, sha256: str, target: Path, *, name: str, progress: Progress = unwatched) -> None:
        """Write an object's content to `target`, durably, once it is known to be right; `name` is for people.

        Raises:
            ChecksumMismatchError: when the object is gone, damaged, or has other content.
            DestinationError, DiskSpaceError: when the place fails, or the disk is full.
        """
        key = self._holder(sha256)
        if key is None:
            raise ChecksumMismatchError(
                f"The backed-up copy of {name} is gone: there is no object {sha256}.",
                hint="Run `data-platform backup run --kind weekly`: it sends again what is missing.",
            )
        draft = temporary_beside(target)
        try:
            with draft.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                self._decrypt(key, sha256, file, name, progress)
                with no_space_is_clear(target):
                    file.flush()
                    os.fsync(file.fileno())
            draft.replace(target)
            fsync_path(target.parent)
        finally:
            draft.unlink(missing_ok=True)

    def _holder(self, sha256: str) -> Key | None:
        for key in self.keyring:
            if self.destination.size(object_key(key, sha256)) is not None:
                return key
        return None

    def _decrypt(self, key: Key, sha256: str, sink: IO[bytes], name: str, progress: Progress) -> None:
        writer = _Watched(sink, progress)
        stored = object_key(key, sha256)
        # The innermost decides whose failure it is: a full disk here is not a full place there.
        with self.destination.reading(stored) as source, no_space_is_clear(Path(sink.name)):
            reader = _Watched(source)
            _pipe_out(reader, writer, key, f"The backed-up copy of {name} is damaged (object {stored}).")
        if writer.sha256 != sha256:
            raise ChecksumMismatchError(
                f"The backed-up copy of {name} is damaged (object {stored}): its content has another hash.",
                hint=_SEND_AGAIN,
            )


def object_key(key: Key, sha256: str) -> str:
    """Where the object of a content lies."""
    return f"{OBJECTS}/{key.name}/{sha256[:2]}/{sha256}.age"


def content_of(stored_key: str) -> str:
    """The hash of the content that an object's key names."""
    return PurePosixPath(stored_key).stem


def is_plausible(plain_bytes: int, stored_bytes: int) -> bool:
    """Whether an encrypted object can be the whole of a content of that size.

    The payload's size follows from the age format: a nonce, and a tag after every 64 KiB; only the header varies.
    """
    chunks = max(1, -(-plain_bytes // _CHUNK))
    return stored_bytes - (_NONCE_BYTES + plain_bytes + _TAG_BYTES * chunks) in _HEADER_BYTES


def seal_document(destination: Destination, stored_key: str, document: bytes, key: Key) -> None:
    """Encrypt and store a small document."""

    def fill(sink: IO[bytes]) -> None:
        sink.write(pyrage.encrypt(document, [key_recipient(key)]))

    destination.write(stored_key, fill)


def open_document(destination: Destination, stored_key: str, key: Key) -> bytes:
    """Fetch and decrypt a small document.

    Raises:
        ChecksumMismatchError: when it is damaged.
        DestinationError: when it is not there, or the place fails.
    """
    with destination.reading(stored_key) as source:
        stored = source.read()
    result = BytesIO()
    _pipe_out(_Watched(BytesIO(stored)), _Watched(result), key, f"The object {stored_key} is damaged.")
    return result.getvalue()


class _Watched:
    """A stream that hashes and counts what passes, and keeps the error that age would wrap in its own."""

    def __init__(self, stream: IO[bytes], progress: Progress = unwatched) -> None:
        self._stream = stream
        self._progress = progress
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.error: BaseException | None = None

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._passed(self._stream.read(size))
        except BaseException as error:
            self.error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            self._stream.write(data)
            return len(self._passed(data))
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._stream.flush()

    def _passed(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.bytes += len(data)
        self._progress(len(data))
        return data


def _pipe_in(reader: _Watched, writer: _Watched, key: Key, source: Path) -> None:
    try:
        pyrage.encrypt_io(_stream(reader), _stream(writer), [key_recipient(key)])
    except (pyrage.EncryptError, OSError):
        if isinstance(reader.error, OSError):
            raise _unreadable(source, reader.error) from None
        raise (reader.error or writer.error or OSError("encryption failed")) from None


def _pipe_out(reader: _Watched, writer: _Watched, key: Key, damaged: str) -> None:
    try:
        pyrage.decrypt_io(_stream(reader), _stream(writer), [key.identity])
    except (pyrage.DecryptError, OSError):  # the library's own word for damage in the middle is an OSError
        cause = reader.error or writer.error
        if cause is not None:
            raise cause from None
        raise ChecksumMismatchError(damaged, hint=_SEND_AGAIN) from None


def _stream(watched: _Watched) -> BufferedIOBase:
    # age only reads, writes and flushes.
    return cast("BufferedIOBase", watched)


def key_recipient(key: Key) -> pyrage.x25519.Recipient:
    """The public half, in the library's form."""
    return key.identity.to_public()


def _unreadable(source: Path, error: OSError) -> ChecksumMismatchError:
    return ChecksumMismatchError(f"{source.name} can't be read: {error.strerror or type(error).__name__}.")
