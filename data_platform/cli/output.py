"""Printing: tables for people, one JSON document for scripts, messages on standard error."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from data_platform.cli.table_layout import how_many_fit, least_width, share_out

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Without a terminal (a pipe, a log) there is no width to keep to.
_WIDTH = shutil.get_terminal_size((1_000, 40)).columns
stdout = Console(width=_WIDTH, highlight=False)
stderr = Console(stderr=True, width=_WIDTH, highlight=False)


def say(message: str) -> None:
    """Tell the person something, on standard error."""
    stderr.print(Text(message), soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document on standard output and nothing else."""
    sys.stdout.write(json.dumps(_plain(document), indent=2, ensure_ascii=False, default=_text) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, grouped: bool = True) -> None:
    """Print a table; numbers are right-aligned and, unless they may be years or codes, grouped; None is a dash.

    Names, ids and numbers stand whole, prose is wrapped. What a terminal has no room for is left out and named.
    """
    cells = [[_cell(value, grouped=grouped) for value in row] for row in rows]
    by_column = [[row[index] for row in cells] for index in range(len(columns))]
    least = [least_width(*column) for column in zip(columns, by_column, strict=True)]
    fitting = how_many_fit(least, stdout.width)
    whole = [
        max(cell_len(line) for cell in (name, *column) for line in (cell.splitlines() or [""]))
        for name, column in zip(map(_printable, columns[:fitting]), by_column, strict=False)
    ]
    widths = share_out(least[:fitting], whole, stdout.width)
    table = RichTable(header_style="bold", box=SIMPLE_HEAD)
    for index, name in enumerate(columns[:fitting]):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        table.add_column(
            Text(_printable(name)),
            justify="right" if numeric else "left",
            overflow="fold",
            width=widths[index],
        )
    for row in cells:
        table.add_row(*[Text(cell) for cell in row[:fitting]])
    if title:
        stdout.print(Text(title, style="bold"), soft_wrap=True)
    stdout.print(table)
    if fitting < len(columns):
        say(f"Not shown for want of width: {', '.join(columns[fitting:])}. --json has everything.")


def _cell(value: object, *, grouped: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if grouped and isinstance(value, int | float) else _printable(str(value))


def _printable(text: str) -> str:
    """Text without the control characters by which data could steer a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast(Mapping[str, object], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(Sequence[object], value)]
    return value
