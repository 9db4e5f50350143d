"""WRDS as a source: one session, from which fingerprints and rows are taken."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from data_platform.catalog import Table
from data_platform.errors import PlatformError, SchemaError
from data_platform.sources.base import Fingerprint, RowsOutOfOrder, place
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.causes import statement_failure
from data_platform.sources.wrds.copying import BLOCK_BYTES, CopyFailedError, CopyOut
from data_platform.sources.wrds.fingerprint import survey
from data_platform.sources.wrds.order import KeyOrder, as_they_lie
from data_platform.sources.wrds.parsing import parse_block
from data_platform.sources.wrds.query import bind, check_columns, in_key_order, origin_of
from data_platform.sources.wrds.session import open_session
from data_platform.sources.wrds.waiting import interruptibly

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2 import extensions


class WrdsSource:
    """A source in the sense of `data_platform.sources.base.Source`, on one session of the `wrds` client."""

    def __init__(self, name: str, address: WrdsAddress, connection: extensions.connection, block_bytes: int) -> None:
        self.name = name
        self.bytes_received = 0
        self.warnings: list[str] = []
        self._address = address
        self._connection = connection
        self._block_bytes = block_bytes
        self._copying = False
        self._to_be_sorted: set[tuple[str, tuple[str, ...]]] = set()

    def fingerprint(self, table: Table, partition: str) -> Fingerprint:
        """Describe the partition's present state; see `survey`."""
        return self.survey(table, [partition])[partition]

    def survey(self, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
        """Describe the present state of partitions; the server reads their rows once, none is sent.

        Raises:
            SourceError: when the account may not read the relation, or the server goes away.
            SchemaError: when the relation or one of its columns is missing.
        """
        self._require_idle()
        try:
            return interruptibly(self._connection, lambda: survey(self._connection, table, partitions))
        except psycopg2.Error as error:
            raise self._explained(error, table, _named(partitions), rows=0) from None

    def extract(self, table: Table, partition: str) -> Iterator[pa.RecordBatch]:
        """Yield the partition's rows; see `Source.extract`.

        The server is first asked for the rows as they lie, and after `RowsOutOfOrder` to sort those of that relation.

        Raises:
            RowsOutOfOrder: when they do not lie in the order of the key.
            SourceError: when the account may not read the relation, or the server goes away on the way.
            SchemaError: when the relation, its columns or their types are not those that the catalog declares.
        """
        self._require_idle()
        query = self._checked_query(table, partition)
        ordered = (origin_of(table).relation, table.key)
        trusting = ordered not in self._to_be_sorted
        order = KeyOrder(table.key)
        copy = CopyOut(self._connection, sql.SQL(query) if trusting else in_key_order(query, table), self._block_bytes)
        rows = 0
        self._copying = True
        try:
            with (
                as_they_lie(self._connection) if trusting else nullcontext(),
                closing(copy.blocks()) as blocks,
            ):
                for block in blocks:
                    self.bytes_received += len(block)
                    batch = parse_block(block, table, partition)
                    rows += batch.num_rows
                    if trusting and not order.goes_on(batch):
                        self._to_be_sorted.add(ordered)
                        raise RowsOutOfOrder
                    yield batch
        except CopyFailedError as failure:
            if isinstance(failure.cause, psycopg2.Error):
                raise self._explained(failure.cause, table, partition, rows=rows) from None
            raise failure.cause from None
        except psycopg2.Error as error:
            raise self._explained(error, table, partition, rows=rows) from None
        finally:
            self._copying = False
        if rows != copy.rows:
            raise SchemaError(
                f"{place(table, partition)}: the server sent {copy.rows} rows and {rows} could be read.",
                hint="This is a fault of ours; please report it with the table's column types.",
            )

    def probe(self, table: Table, partition: str) -> None:
        """See whether the account may read the table as it is declared; no row is read.

        Raises:
            SourceError: when the account may not read the relation.
            SchemaError: when the relation or its columns are not those that the catalog declares.
        """
        self._require_idle()
        self._checked_query(table, partition)

    def _checked_query(self, table: Table, partition: str) -> str:
        try:
            query = bind(self._connection, table, partition)
            with self._connection.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT * FROM (\n{}\n) AS q LIMIT 0").format(sql.SQL(query)))
                check_columns([column.name for column in cursor.description or ()], table, partition)
        except psycopg2.Error as error:
            raise self._explained(error, table, partition, rows=0) from None
        return query

    def _explained(self, error: psycopg2.Error, table: Table, partition: str, *, rows: int) -> PlatformError:
        return statement_failure(error, origin_of(table), place(table, partition), user=self._address.user, rows=rows)

    def _require_idle(self) -> None:
        if self._copying:
            raise RuntimeError("the session is busy: finish or close the running extraction first")


def _named(partitions: Sequence[str]) -> str:
    return partitions[0] if len(partitions) == 1 else f"{min(partitions)} to {max(partitions)}"


@contextmanager
def open_wrds(name: str, address: WrdsAddress, block_bytes: int = BLOCK_BYTES) -> Generator[WrdsSource]:
    """Open a session for the length of the block.

    Raises:
        SourceError: naming host, port, user and cause when no session comes about.
    """
    with open_session(address) as connection:
        yield WrdsSource(name, address, connection, block_bytes)
