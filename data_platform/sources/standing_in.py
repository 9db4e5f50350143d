"""Sources that read a table by another declaration of it: an older format, or a copy at another place."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from data_platform.catalog import Table
from data_platform.errors import PlatformError, SourceError
from data_platform.sources.base import Fingerprint, Source

if TYPE_CHECKING:
    import pyarrow as pa


class RedeclaredSource:
    """A source that takes a table's other declaration for it, under a name that says so."""

    def __init__(self, name: str, source: Source, redeclared: Callable[[Table], Table]) -> None:
        self.name = name
        self._source = source
        self._redeclared = redeclared

    @property
    def bytes_received(self) -> int:
        """What the source itself has received."""
        return self._source.bytes_received

    @property
    def warnings(self) -> list[str]:
        """What the source itself warns of."""
        return self._source.warnings

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """See `Source.fingerprint`."""
        return self._source.fingerprint(self._redeclared(table), partition)

    def survey(self, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
        """See `Source.survey`."""
        return self._source.survey(self._redeclared(table), partitions)

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """See `Source.extract`."""
        return self._source.extract(self._redeclared(table), partition)


class StandInSource:
    """A source with a copy elsewhere, to which it changes for good when its own place cannot be reached.

    It is asked for a fingerprint before it is asked for rows, and that is when it changes: rows and fingerprint always
    come from the same place.
    """

    def __init__(
        self, source: Source, open_copy: Callable[[], AbstractContextManager[Source]], stack: ExitStack
    ) -> None:
        self._source = source
        self._open_copy = open_copy
        self._stack = stack
        self._changed: list[str] = []

    @property
    def name(self) -> str:
        """The name of the source in use."""
        return self._source.name

    @property
    def bytes_received(self) -> int:
        """What the source in use has received."""
        return self._source.bytes_received

    @property
    def warnings(self) -> list[str]:
        """That the copy stands in, if it does, and what it warns of itself."""
        return [*self._changed, *self._source.warnings]

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """See `Source.fingerprint`."""
        return self.survey(table, [partition])[partition]

    def survey(self, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
        """See `Source.survey`; the copy is turned to when the source's own place cannot be reached.

        Raises:
            SourceError: of the source's own place, when the copy is not to be had either.
        """
        try:
            return self._source.survey(table, partitions)
        except SourceError as error:
            if self._changed or not error.transient:
                raise
            self._change(error)
        return self._source.survey(table, partitions)

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """See `Source.extract`."""
        return self._source.extract(table, partition)

    def _change(self, error: SourceError) -> None:
        try:
            copy = self._stack.enter_context(self._open_copy())
        except PlatformError as other:
            raise SourceError(
                f"{error.message} The copy is not to be had either: {other.message}", hint=error.hint
            ) from None
        self._changed = [f"{error.message} The copy of {copy.name} stood in."]
        self._source = copy


@contextmanager
def standing_in(source: Source, open_copy: Callable[[], AbstractContextManager[Source]]) -> Generator[Source]:
    """A source for the length of the block whose copy is opened only when it is needed."""
    with ExitStack() as stack:
        yield StandInSource(source, open_copy, stack)
