"""The place where backups lie: a few verbs over fsspec, every failure told in one clear error without credentials.

An object appears under its final name only when it is complete: it is written under `tmp/` and then moved. Where the
place is a local folder, file and folder are flushed to the disk as well.
"""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import unquote, urlsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs  # pyright: ignore[reportUnknownVariableType] - untyped there
from fsspec.implementations.local import LocalFileSystem

from data_platform.errors import ConfigurationError, DiskSpaceError, PlatformError
from data_platform.warehouse.store import fsync_path, make_folder

VARIABLE: Final = "DATA_PLATFORM_BACKUP_URL"
_TMP: Final = "tmp"
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_WITH_FOLDERS: Final = frozenset({"ftp", "sftp", "ssh", "smb", "webdav", "hdfs", "arrow_hdfs"})
"""Protocols where a file's folder must exist; creating one on an object store might create a bucket."""


class DestinationError(PlatformError):
    """The place of the backups can't be reached, or refuses what we do."""


class Destination:
    """A folder somewhere. Keys are relative paths with forward slashes."""

    def __init__(self, filesystem: AbstractFileSystem, root: str, url: str) -> None:
        self._files: Any = filesystem
        self._root = root.rstrip("/")
        self._url = url
        self._local = isinstance(filesystem, LocalFileSystem)
        protocols = filesystem.protocol
        self._folders = bool(_WITH_FOLDERS & set((protocols,) if isinstance(protocols, str) else protocols))
        self.shown = shown(url)

    @classmethod
    def at(cls, url: str) -> Destination:
        """Open the place that a URL (or a path) names.

        Raises:
            ConfigurationError: for a URL that nothing here understands, or whose protocol's library is missing.
            DestinationError: when it can't be reached.
        """
        try:
            filesystem, root = cast("tuple[AbstractFileSystem, str]", url_to_fs(url))
        except ImportError as error:
            raise ConfigurationError(
                f"{VARIABLE} names a protocol whose library is not installed: {_redacted(str(error), url)}.",
                hint="Install that library beside this project, or use another URL, such as file:///a/folder.",
            ) from None
        except ValueError as error:
            raise ConfigurationError(
                f"{VARIABLE} is no URL for backups: {_redacted(str(error), url)}.",
                hint="Use one that fsspec knows, such as file:///a/folder or s3://bucket/folder.",
            ) from None
        except Exception as error:  # noqa: BLE001 - each protocol's library has errors of its own
            raise _unreachable(url, error) from None
        return cls(filesystem, root, url)

    def sizes(self, folder: str) -> dict[str, int]:
        """The keys of all objects below a folder and their sizes in bytes; empty when there is no such folder."""
        with self._clear():
            self._files.invalidate_cache()
            try:
                found = cast("dict[str, dict[str, Any]]", self._files.find(self._path(folder), detail=True))
            except FileNotFoundError:
                return {}
        skip = len(self._root.strip("/")) + 1 if self._root.strip("/") else 0
        return {name.lstrip("/")[skip:]: int(info["size"]) for name, info in sorted(found.items())}

    def size(self, key: str) -> int | None:
        """The size of an object in bytes; None when there is none."""
        with self._clear():
            self._files.invalidate_cache()
            try:
                return int(self._files.info(self._path(key))["size"])
            except FileNotFoundError:
                return None

    def write(self, key: str, fill: Callable[[IO[bytes]], None]) -> None:
        """Create the object with what `fill` writes; when `fill` raises, there is none.

        Raises:
            DestinationError: when the place fails.
            DiskSpaceError: when it is full.
        """
        draft = f"{_TMP}/{uuid.uuid4().hex}"
        with self._clear():
            try:
                self._prepare(draft)
                with cast("IO[bytes]", self._files.open(self._path(draft), "wb")) as file:
                    fill(file)
                    if self._local:
                        file.flush()
                        os.fsync(file.fileno())
                self._prepare(key)
                self._files.mv(self._path(draft), self._path(key))
            except BaseException:
                with suppress(Exception):
                    self._files.rm(self._path(draft))
                raise
            if self._local:
                fsync_path(Path(self._path(key)).parent)

    @contextmanager
    def reading(self, key: str) -> Generator[IO[bytes]]:
        """Open an object for the block.

        Raises:
            DestinationError: when it is not there or the place fails.
        """
        with self._clear(), cast("IO[bytes]", self._files.open(self._path(key), "rb")) as file:
            yield file

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        with self._clear():
            with suppress(FileNotFoundError):
                self._files.rm(self._path(key))
            if self._local and Path(self._path(key)).parent.is_dir():
                fsync_path(Path(self._path(key)).parent)

    def clear_drafts(self) -> None:
        """Remove what writers that were killed left unfinished; call it when no other writer can be at work."""
        for key in self.sizes(_TMP):
            self.delete(key)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _prepare(self, key: str) -> None:
        if self._local:
            make_folder(Path(self._path(key)).parent)
        elif self._folders:
            self._files.makedirs(self._path(key).rpartition("/")[0], exist_ok=True)

    @contextmanager
    def _clear(self) -> Generator[None]:
        try:
            yield
        except PlatformError:
            raise
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise DiskSpaceError(
                    f"No space left at the place of the backups, {self.shown}.",
                    hint="Free some space there, then run the same command again: it continues.",
                ) from None
            raise _unreachable(self._url, error) from None
        except Exception as error:  # noqa: BLE001 - each protocol's library has errors of its own
            raise _unreachable(self._url, error) from None


def shown(url: str) -> str:
    """The URL as people may see it: without user, password and parameters."""
    return re.sub(r"//.*@", "//", url.partition("?")[0])


def _unreachable(url: str, error: Exception) -> DestinationError:
    return DestinationError(
        f"The place of the backups, {shown(url)}, can't be used: {type(error).__name__}: {_redacted(str(error), url)}.",
        hint=f"Check {VARIABLE}, that the bucket or folder exists, and the rights there.",
    )


def _redacted(text: str, url: str) -> str:
    """The first line of a library's message, without what the URL keeps secret."""
    line = next(iter(text.strip().splitlines()), "no reason given").rstrip(".").replace(url, shown(url))
    try:
        parts = urlsplit(url)
        secrets = [parts.password, parts.query, parts.netloc.rpartition("@")[0]]
    except ValueError:
        return "the address is malformed"
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***").replace(unquote(secret), "***")
    return line
