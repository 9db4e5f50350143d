"""Options that several commands share, and the way to a table or dataset by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_platform.errors import UsageError
from data_platform.records.texts import reason

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
AsOfText = Annotated[
    str | None,
    typer.Option("--as-of", metavar="VERSION|TAG|DATE", help="Read as of a version, a tag, or the end of a day (UTC)."),
]


def _kept(value: str) -> str:
    # Before anything is done: what was done must not lack its entry because the reason could not be kept.
    return reason(value) or ""


Reason = Annotated[str, typer.Option(help="Why; kept in the audit.", callback=_kept)]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="A table, such as crsp_daily.")]


def given_path(text: str) -> Path:
    """A path that somebody gave. An empty one would be the working folder, which nobody who leaves a path out means.

    Raises:
        UsageError: when it is empty.
    """
    if not text:
        raise UsageError("The path is empty.", hint="Give one; a variable of the shell may be unset.")
    return Path(text)
