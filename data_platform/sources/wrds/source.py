"""WRDS as a source: one session, from which fingerprints and rows are taken."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from data_platform.catalog import Table
from data_platform.errors import PlatformError
from data_platform.sources.base import Fingerprint, place
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.causes import statement_failure
from data_platform.sources.wrds.copying import BLOCK_BYTES, CopyFailedError, CopyOut
from data_platform.sources.wrds.fingerprint import survey
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

        Raises:
            SourceError: when the account may not read the relation, or the server goes away on the way.
            SchemaError: when the relation, its columns or their types are not those that the catalog declares.
        """
        self._require_idle()
        try:
            query = bind(self._connection, table, partition)
            with self._connection.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT * FROM (\n{}\n) AS q LIMIT 0").format(sql.SQL(query)))
                check_columns([column.name for column in cursor.description or ()], table, partition)
        except psycopg2.Error as error:
            raise self._explained(error, table, partition, rows=0) from None
        copy = CopyOut(self._connection, in_key_order(query, table), self._block_bytes)
        blocks = copy.blocks()
        self._copying = True
        try:
            for block in blocks:
                self.bytes_received += len(block.data)
                yield parse_block(block, table, partition)
        except CopyFailedError as failure:
            if isinstance(failure.cause, psycopg2.Error):
                raise self._explained(failure.cause, table, partition, rows=failure.rows) from None
            raise failure.cause from None
        finally:
            blocks.close()
            self._copying = False

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
