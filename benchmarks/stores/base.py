"""What a store must be able to do to take part."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pyarrow as pa


class UnsupportedError(Exception):
    """The store has no such operation; the report shows a dash and says why."""


class Store(Protocol):
    """One table in ten years. Only `write`, `read_all`, `read_columns` and `tag` are timed.

    A write of a year that is there replaces it. When `write` returns, the store has acknowledged the commit. Versions
    are the store's own; `None` reads the latest. Every read ends in an Arrow table in memory.
    """

    def open(self, folder: Path) -> None:
        """Open the store in `folder`, or create it there."""
        ...

    def prepare(self, rows: pa.Table) -> object:
        """The rows in the form that the store takes them in, so that conversions are timed apart."""
        ...

    def write(self, year: int, prepared: object) -> None:
        """Commit one year."""
        ...

    def version(self) -> int:
        """The latest version's name."""
        ...

    def read_all(self, version: int | None) -> pa.Table:
        """Every row and column."""
        ...

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Some columns of one year."""
        ...

    def tag(self, name: str) -> None:
        """Name the latest version."""
        ...
