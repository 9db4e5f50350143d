"""The relation that every way extracts: one year of `crsp.dsf_v2` in an embedded server, in the order of its key."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import polars as pl
import psycopg
from psycopg import sql

from data_platform.records.embedded.bootstrap import DEMO_DB
from data_platform.records.embedded.credentials import DEMO_READER, SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.sources.demo.crsp.dsf_v2 import COLUMN_TYPES, relation_frames
from data_platform.sources.demo.market.simulation import simulate

YEAR: Final = 2023
SCHEMA: Final = "crsp"
NAME: Final = "dsf_v2"
_SEED: Final = 20_240_229
_SECURITIES: Final = 1_000
"""Of one market; a relation is made of as many as it takes, so that memory does not grow with it."""

_ROWS_EACH: Final = 200
"""Rows of a security in a year, about: some come later, some leave."""

_COPY_BYTES: Final = 1 << 20


def load_relation(server: EmbeddedServer, rows: int) -> None:
    """Replace the relation by one of exactly so many rows, settled: vacuumed, analysed, written out."""
    relation = sql.Identifier(SCHEMA, NAME)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in COLUMN_TYPES.items()
    )
    reader = sql.Identifier(server.credentials[DEMO_READER].role)
    with psycopg.connect(server.url(SUPERUSER, DEMO_DB), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        # In one transaction: into a table of an earlier one rows do not come to lie strictly one after the other.
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(relation))
            # Unlogged: reading it costs the same, and filling it half.
            cursor.execute(sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(relation, columns))
            with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv, NULL '')").format(relation)) as copy:
                for frame in _frames(rows):
                    content = memoryview(frame.write_csv(include_header=False).encode())
                    for start in range(0, len(content), _COPY_BYTES):
                        copy.write(content[start : start + _COPY_BYTES])
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(SCHEMA), reader))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(relation, reader))
        connection.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(relation))
        connection.execute("CHECKPOINT")


def shuffle_relation(server: EmbeddedServer) -> None:
    """Let the same rows lie in no order at all."""
    with psycopg.connect(server.url(SUPERUSER, DEMO_DB), autocommit=True) as connection:
        reader = sql.Identifier(server.credentials[DEMO_READER].role)
        connection.execute("CREATE UNLOGGED TABLE crsp.shuffled AS SELECT * FROM crsp.dsf_v2 ORDER BY random()")
        connection.execute("DROP TABLE crsp.dsf_v2")
        connection.execute("ALTER TABLE crsp.shuffled RENAME TO dsf_v2")
        connection.execute(sql.SQL("GRANT SELECT ON crsp.dsf_v2 TO {}").format(reader))
        connection.execute("VACUUM (FREEZE, ANALYZE) crsp.dsf_v2")
        connection.execute("CHECKPOINT")


def _frames(rows: int) -> Iterator[pl.DataFrame]:
    """As many rows, market after market; securities of a later one have the higher numbers."""
    left, market = rows, 0
    while left:
        securities = max(20, min(_SECURITIES, math.ceil(left / _ROWS_EACH) + 5))
        step = 7 * _SECURITIES * market
        for frame in relation_frames(simulate(_SEED + market, YEAR, YEAR, securities)):
            taken = frame.head(left).with_columns(
                pl.col("permno") + step, pl.col("permco").cast(pl.Int64) + _SECURITIES * market
            )
            yield taken
            left -= taken.height
            if not left:
                return
        market += 1
