"""Storing the log lines that waited in files: each exactly once, under the moment in which it was logged.

The lines of a file are stored first and the file is removed then. Killed in between, the next one to come stores them
again, which the database takes for what it is: each line has a name, and a name is stored once.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from data_platform.errors import PlatformError, UsageError
from data_platform.records.connection import Records
from data_platform.records.pending_lines import FOLDER, decoded, encoded
from data_platform.records.private_files import sync_folder, write_private
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import NewLine, append_many

_SCOPE: Final = Scope.system("sync")
_LINES_A_STATEMENT: Final = 1_000
_PATIENCE: Final = "SET LOCAL statement_timeout = '5s'"
"""Whoever opens the records waits for this, and has something else in mind."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many lines were stored now, and the files that have those which can't be."""

    lines: int
    aside: tuple[Path, ...]


def load_pending(home: Path, records: Records) -> Loaded:
    """Store the lines that wait in a home and remove their files; files that somebody is at work on are left alone.

    A line that can't be read, or that the table refuses, is kept in `<file>.aside` for a person to look at.

    Raises:
        DatabaseUnavailableError: when the database goes away; what is not stored still waits.
        OSError: when the folder can't be read or changed.
    """
    stored = 0
    aside: list[Path] = []
    for path in sorted((home / FOLDER).glob("pending-*.jsonl")):
        with _claimed(path) as content:
            if content is None:
                continue
            lines, unfit = _read(content)
            count, refused = _store(records, lines)
            stored += count
            unfit += [encoded(line).rstrip() for line in refused]
            if unfit:
                kept = path.with_suffix(".aside")
                write_private(kept, b"\n".join(unfit) + b"\n")
                aside.append(kept)
            path.unlink()
            sync_folder(path.parent)
    return Loaded(stored, tuple(aside))


def catch_up(home: Path, records: Records) -> None:
    """Do the same on the way to something else, which it must not keep from happening."""
    try:
        loaded = load_pending(home, records)
    except PlatformError as error:
        _log.warning("Log lines of syncs still wait in %s: %s", home / FOLDER, error.message)
    except (OSError, psycopg.Error) as error:
        # The database's own words may repeat what is in a line.
        _log.warning("Log lines of syncs still wait in %s: %s", home / FOLDER, type(error).__name__)
    else:
        for path in loaded.aside:
            _log.warning("Some log lines of a sync can't be stored; they are in %s", path)


@contextmanager
def _claimed(path: Path) -> Generator[bytes | None]:
    """Give the content of a file that nobody else writes to or stores, for as long as the block takes; else None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Somebody else may have been through with it between our opening and our locking it.
        yield file.read() if os.fstat(file.fileno()).st_nlink else None


def _read(content: bytes) -> tuple[list[NewLine], list[bytes]]:
    lines: list[NewLine] = []
    unfit: list[bytes] = []
    for text in filter(None, content.split(b"\n")):
        try:
            lines.append(decoded(text))
        except ValueError:
            unfit.append(text)
    return lines, unfit


def _store(records: Records, lines: Sequence[NewLine]) -> tuple[int, list[NewLine]]:
    """Store lines and return how many are new, and those that the table refuses."""
    try:
        return sum(
            _store_some(records, lines[start : start + _LINES_A_STATEMENT])
            for start in range(0, len(lines), _LINES_A_STATEMENT)
        ), []
    except UsageError:
        pass
    stored = 0
    refused: list[NewLine] = []
    for line in lines:
        try:
            stored += _store_some(records, [line])
        except UsageError:
            refused.append(line)
    return stored, refused


def _store_some(records: Records, lines: Sequence[NewLine]) -> int:
    with records.transaction(_SCOPE) as connection:
        connection.execute(_PATIENCE)
        return append_many(connection, lines)
