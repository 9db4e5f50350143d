"""The data library's text format, by its rules and without knowing any table of ours.

A file is free text, then tables. A table is a header line that begins with a comma, and rows of a date key and one
number per header. Keys are yyyymmdd, yyyymm or yyyy. The text lines right before a header are its caption. Lines end
in CR LF or LF, cells and headers are padded with blanks, and a copyright line may or may not close the file.
Missing is -99.99 or -999 in any spelling of those numbers, to be recognised before any change of unit.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MISSING_CODES: Final = (-99.99, -999.0)

_VINTAGE: Final = re.compile(r"using\s+the\s+(\d{6})\s+CRSP\s+database", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COPYRIGHT: Final = re.compile(r"\s*(copyright|©)", re.IGNORECASE)


class Frequency(StrEnum):
    """How often a table has a row, told by the length of its keys."""

    DAILY = "daily"
    MONTHLY = "monthly"
    ANNUAL = "annual"


_FREQUENCY_OF_LENGTH: Final = {8: Frequency.DAILY, 6: Frequency.MONTHLY, 4: Frequency.ANNUAL}


class FormatError(Exception):
    """The text breaks a rule of the format; `line` counts from 1 and `problem` quotes no value."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(slots=True)
class SourceTable:
    """One table of a file. Numbers are in the file's own unit; None is missing.

    A month's key is its last calendar day and a year's its last day. `frequency` is None for a table without rows.
    `columns` runs parallel to `header`, and each column parallel to `keys`.
    """

    caption: str
    header: list[str]
    line: int
    frequency: Frequency | None = None
    keys: list[dt.date] = field(default_factory=list[dt.date])
    columns: list[list[float | None]] = field(default_factory=list[list[float | None]])


def decode(data: bytes) -> str:
    """Read bytes as UTF-8 where they are that, else as Latin-1, which some older files use for names."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def vintage(text: str) -> str | None:
    """The CRSP database (yyyymm) that a file says it was made from; None when it does not say."""
    found = _VINTAGE.search(text)
    return found.group(1) if found else None


def parse_tables(text: str) -> list[SourceTable]:
    """Read all tables of a file, in order.

    Raises:
        FormatError: for a row with the wrong number of cells, a cell that is no number, or a key that is no date or
            does not come after the one before; naming the line.
    """
    tables: list[SourceTable] = []
    caption: list[str] = []
    table: SourceTable | None = None
    blank_before = False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        stripped = line.strip(" \t\x1a\x00")
        if not stripped:
            blank_before = True
            if table is None and not tables:
                caption = []  # free text, not a caption: those stand right before their header
            continue
        if stripped.startswith(","):
            table = SourceTable(" ".join(caption), _header(stripped), number)
            table.columns = [[] for _ in table.header]
            tables.append(table)
            caption = []
        elif table is not None and _is_row(stripped, after_blank=blank_before):
            _add_row(table, stripped, number)
        else:
            table = None
            if not _COPYRIGHT.match(stripped):
                caption.append(stripped)
        blank_before = False
    return tables


def _header(line: str) -> list[str]:
    names = [cell.strip() for cell in line.split(",")[1:]]
    while names and not names[-1]:
        names.pop()
    return names


def _is_row(line: str, *, after_blank: bool) -> bool:
    """Whether a line inside a table must be read as a row of it, and so be a good one.

    Directly below a row everything with a comma is meant as one, and so is a lone number: a row that was cut off.
    After a blank line a caption may follow, which may hold commas, so only a line that begins with a key counts.
    """
    first = line.partition(",")[0].strip()
    if first.isdigit():
        return not after_blank or "," in line
    return "," in line and not after_blank and not _COPYRIGHT.match(line)


def _add_row(table: SourceTable, line: str, number: int) -> None:
    first, *cells = (cell.strip() for cell in line.split(","))
    while len(cells) > len(table.header) and not cells[-1]:
        cells.pop()  # a comma at the end of the line
    if len(cells) != len(table.header):
        raise FormatError(number, f"{len(cells)} values for {len(table.header)} columns")
    frequency, key = _key(first, number)
    if table.frequency not in {None, frequency}:
        raise FormatError(number, f"one key is {frequency}, those above are {table.frequency}")
    if table.keys and key <= table.keys[-1]:
        problem = "is repeated" if key == table.keys[-1] else "comes after a later one"
        raise FormatError(number, f"the date {key} {problem}")
    table.frequency = frequency
    table.keys.append(key)
    for column, name, cell in zip(table.columns, table.header, cells, strict=True):
        if not _NUMBER.fullmatch(cell):
            raise FormatError(number, f"the value of {name or 'a column without name'} is not a number")
        value = float(cell)
        column.append(None if value in MISSING_CODES else value)


def _key(text: str, number: int) -> tuple[Frequency, dt.date]:
    frequency = _FREQUENCY_OF_LENGTH.get(len(text)) if text.isascii() and text.isdigit() else None
    if frequency is None:
        raise FormatError(number, "the key is no date of the form yyyymmdd, yyyymm or yyyy")
    year = int(text[:4])
    month = int(text[4:6] or "12")
    try:
        last_day = calendar.monthrange(year, month)[1]
        return frequency, dt.date(year, month, int(text[6:8] or last_day))
    except (ValueError, calendar.IllegalMonthError):
        raise FormatError(number, "the key is no date that exists") from None
