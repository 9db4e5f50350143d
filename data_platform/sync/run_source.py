"""The one source of a run: opened when it is first needed, and again when its session was cut."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from data_platform.catalog import Table, WrdsQuery
from data_platform.errors import SourceError
from data_platform.sources import Source, open_source
from data_platform.sync.context import SyncContext


class RunSource:
    """Holds at most one open source of a table for the length of a `with` block."""

    def __init__(self, context: SyncContext, table: Table) -> None:
        self._context = context
        self._table = table
        self._stack = ExitStack()
        self._source: Source | None = None
        self._had_session = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def current(self) -> Source:
        """The open source.

        Raises:
            SourceError, ConfigurationError: as `open_source` does.
        """
        if self._source is None:
            context = self._context
            source = open_source(self._table, context.settings, context.records.databases)
            self._source = self._stack.enter_context(source)
            self._had_session = isinstance(self._table.origin, WrdsQuery)
        return self._source

    def drop(self) -> None:
        """Close the source; the next one asked for is a new one."""
        self._source = None
        self._stack.close()

    def is_worth_another(self, error: BaseException) -> bool:
        """Whether what went wrong may go right with a new session.

        A server that never let us in is not asked again here, since opening already tried several times, nor is a
        site, whose every download did.
        """
        return self._had_session and isinstance(error, SourceError) and error.transient
