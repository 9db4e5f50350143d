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
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

# Without a terminal (a pipe, a log) there is no width to keep to; 80 columns would fold every table.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WIDTH = shutil.get_terminal_size((140, 40)).columns
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
    """Print a table; numbers are right-aligned and, unless they may be years or codes, grouped; None is a dash."""
    table = RichTable(
        title=title or None, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD
    )
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        table.add_column(Text(_printable(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(_cell(value, grouped=grouped)) for value in row])
    stdout.print(table)


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
