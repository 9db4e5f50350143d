"""Where a user wants a file: the format that its name tells, and what is said when it can't be written. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from data_platform.errors import UsageError


def format_of(path: Path) -> Literal["csv", "parquet"]:
    """The format that a file's name tells.

    Raises:
        UsageError: when it tells none.
    """
    match path.suffix:
        case ".csv":
            return "csv"
        case ".parquet":
            return "parquet"
        case _:
            raise UsageError(
                "The format is neither given nor in the file's name.", hint="Name the file *.csv or *.parquet."
            )


def unwritable(path: Path, error: OSError) -> UsageError:
    """The error for a place where no file can be made."""
    return UsageError(f"The file can't be written to {path}: {error.strerror}.", hint="Name another file.")
