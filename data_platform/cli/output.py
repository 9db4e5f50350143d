"""Printing: tables for people, one JSON document for scripts, messages on standard error."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from data_platform.cli.table_layout import least_width, share_out, which_fit

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


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    grouped: bool = True,
    essential: Collection[str] = (),
) -> None:
    """Print a table; numbers are right-aligned and, unless they may be years or codes, grouped; None is a dash.

    Names, ids and numbers stand whole, prose is wrapped. What a terminal has no room for is left out and named: columns
    from the right on, those last without which a row says nothing (`essential`).
    """
    cells = [[_cell(row[index], grouped=grouped) for row in rows] for index in range(len(columns))]
    names = [_printable(name) for name in columns]
    least = [least_width(name, column) for name, column in zip(names, cells, strict=True)]
    shown = which_fit(least, stdout.width, [index for index, name in enumerate(columns) if name in essential])
    whole = [max(map(cell_len, "\n".join([names[index], *cells[index]]).splitlines()), default=0) for index in shown]
    table = RichTable(header_style="bold", box=SIMPLE_HEAD)
    widths = share_out([least[index] for index in shown], whole, stdout.width)
    for index, width in zip(shown, widths, strict=True):
        numeric = bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        table.add_column(Text(names[index]), justify="right" if numeric else "left", overflow="fold", width=width)
    for number in range(len(rows)):
        table.add_row(*[Text(cells[index][number]) for index in shown])
    if title:
        stdout.print(Text(title, style="bold"), soft_wrap=True)
    stdout.print(table)
    if len(shown) < len(columns):
        hidden = [name for index, name in enumerate(columns) if index not in shown]
        say(f"Not shown for want of width: {', '.join(hidden)}. --json has everything.")


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
