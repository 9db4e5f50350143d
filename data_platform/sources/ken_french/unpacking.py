"""From a downloaded file to the one CSV in it, with every way told apart in which it may be something else."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Final

from data_platform.errors import SourceError

MAX_MEMBER_BYTES: Final = 512 * 1024 * 1024
"""Ten times the library's largest file, unpacked; beyond it the zip is a bomb or not the library's."""

_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)
"""What `zipfile` raises for cut, corrupt, encrypted or exotically compressed content."""


@dataclass(frozen=True, slots=True)
class Member:
    """The CSV inside a zip: its own name and its bytes."""

    name: str
    data: bytes


def unpack(name: str, payload: bytes, where: str, *, max_bytes: int = MAX_MEMBER_BYTES) -> Member:
    """Take the only CSV out of a zip, its checksum verified.

    Raises:
        SourceError: naming the file, `where` and what is wrong with it.
    """
    if not payload:
        raise _not_data(where, name, "is empty")
    if _is_web_page(payload):
        raise _not_data(where, name, "is a web page, not a zip file")
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = [info for info in archive.infolist() if info.filename.lower().endswith(".csv")]
            if len(members) != 1:
                raise _not_data(where, name, f"holds {len(members)} CSV files instead of one")
            with archive.open(members[0]) as file:
                data = file.read(max_bytes + 1)
    except _DAMAGED:
        raise _not_data(where, name, "is damaged or incomplete: it does not open as a zip file") from None
    if len(data) > max_bytes:
        raise _not_data(where, name, f"unpacks to more than {max_bytes:,} bytes")
    return Member(members[0].filename, data)


def _is_web_page(payload: bytes) -> bool:
    start = payload[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<") or b"<html" in start


def _not_data(where: str, name: str, problem: str) -> SourceError:
    return SourceError(
        f"{where}: {name} {problem}.",
        hint="The server sent something else than the data library's file; try again later or check its address.",
    )
