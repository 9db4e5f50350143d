"""The corpus files, and the places that their statements name."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parent
_HEADER: Final = re.compile(r"^-- (?P<id>(?P<family>\w+)-\d{3}) (?P<why>.+)$", re.MULTILINE)
_CHARACTER: Final = re.compile(r"\{U\+([0-9A-F]{4})\}")
_REPEATED: Final = re.compile(r"\{([^{}*]+)\*(\d+)\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One statement of a corpus. `sql` has placeholders still, see `fill`."""

    id: str
    family: str
    why: str
    sql: str


def cases(kind: str) -> list[Case]:
    """All cases of `attacks` or `queries`, in the order of files and lines."""
    return [case for file in sorted((CORPUS / kind).glob("*.sql")) for case in _read(file)]


def _read(file: Path) -> list[Case]:
    text = file.read_text(encoding="utf-8")
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    found = [
        Case(header["id"], header["family"], header["why"], text[header.end() : end].strip("\n"))
        for header, end in zip(headers, ends, strict=True)
    ]
    assert all(case.family == file.stem and case.sql for case in found), file.name
    return found


def fill(sql: str, places: Mapping[str, str]) -> str:
    """Put paths, invisible characters (`{U+200B}`) and repetitions (`{abs(*900}`) into a statement."""
    filled = _CHARACTER.sub(lambda found: chr(int(found[1], 16)), sql)
    filled = _REPEATED.sub(lambda found: found[1] * int(found[2]), filled)
    for name, value in places.items():
        filled = filled.replace("{" + name + "}", value)
    return filled


def places_of(root: Path, other: str, permitted: str) -> dict[str, str]:
    """What the placeholders stand for: `other` is a file that is not permitted, `permitted` one that is."""
    text = str(root / "secret.txt")
    return {
        "OTHER": other,
        "CRSP": permitted,
        "REVERSED_OTHER": other[::-1],
        "BASE64_OTHER": base64.b64encode(other.encode()).decode(),
        "LINK": str(root / "link.parquet"),
        "TXT": text,
        "SPLIT_TXT": "\u200b".join(text),
        "CSV": str(root / "secret.csv"),
        "JSON": str(root / "secret.json"),
        "DB": str(root / "secret.duckdb"),
        "OUT": str(root / "out"),
        "DIR": str(root),
    }
