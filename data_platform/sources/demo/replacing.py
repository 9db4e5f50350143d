"""Replacing all relations in one transaction: loaded beside the former ones by streaming COPY, then exchanged at once.

A reader sees all former relations or all new ones, with rights, comments and statistics, and is kept waiting only
while they are exchanged.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from psycopg import sql

from data_platform.sources.demo.relations import MARKED_SCHEMA, RELATIONS, Relation
from data_platform.sources.demo.world import World

if TYPE_CHECKING:
    import polars as pl
    import psycopg

_STAGE: Final = "demo_loading"
_COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """`rows` of a relation are loaded; `expected` is None where their number is not known beforehand."""

    relation: str
    rows: int
    expected: int | None
    finished: bool


Watcher = Callable[[LoadProgress], None]


def replace_relations(
    connection: psycopg.Connection, world: World, reader: str, signature: str, watch: Watcher
) -> None:
    """Load every relation, grant the reader to read it, and sign the database.

    Raises:
        psycopg.OperationalError: when the server goes away; nothing has changed then.
    """
    modified = dt.datetime.now(ZoneInfo("America/New_York")).strftime("Last modified: %m/%d/%Y %H:%M:%S")
    stage = sql.Identifier(_STAGE)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(stage))
        # A coarse picture will do: a fine one of fifty columns takes longer than loading a small demo.
        cursor.execute("SET LOCAL default_statistics_target = 10")
        for relation in RELATIONS:
            _load(cursor, relation, world, watch)
            table = sql.Identifier(_STAGE, relation.name)
            # The form of WRDS's own comments, from which its users tell when a table was last refreshed.
            cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(modified)))
            cursor.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, sql.Identifier(reader)))
        for schema in sorted({relation.schema for relation in RELATIONS}):
            name = sql.Identifier(schema)
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
            cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, sql.Identifier(reader)))
        for relation in RELATIONS:
            former = sql.Identifier(relation.schema, relation.name)
            table = sql.Identifier(_STAGE, relation.name)
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(former))
            cursor.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(table, sql.Identifier(relation.schema)))
        cursor.execute(sql.SQL("DROP SCHEMA {}").format(stage))
        cursor.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(MARKED_SCHEMA), sql.Literal(signature))
        )


def signature_of(connection: psycopg.Connection) -> str | None:
    """Which demo the database holds, in the words it was signed with; None for none."""
    row = connection.execute(
        "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (MARKED_SCHEMA,)
    ).fetchone()
    connection.commit()
    return row[0] if row else None


def _load(cursor: psycopg.Cursor, relation: Relation, world: World, watch: Watcher) -> None:
    table = sql.Identifier(_STAGE, relation.name)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in relation.columns.items()
    )
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns))
    expected = relation.rows(world) if relation.rows else None
    rows = 0
    watch(LoadProgress(relation.full_name, 0, expected, finished=False))
    # Rows of a table of the same transaction need no later visit to be marked as committed.
    with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv, NULL '', FREEZE)").format(table)) as copy:
        for content, height in _ahead(relation.frames(world)):
            for start in range(0, len(content), _COPY_BYTES):
                copy.write(content[start : start + _COPY_BYTES])
            rows += height
            watch(LoadProgress(relation.full_name, rows, expected, finished=False))
    if relation.date:
        cursor.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.Identifier(relation.date)))
    cursor.execute(sql.SQL("ANALYZE {}").format(table))
    watch(LoadProgress(relation.full_name, rows, rows, finished=True))


def _ahead(frames: Iterator[pl.DataFrame]) -> Iterator[tuple[memoryview, int]]:
    """Each frame as CSV with its number of rows; the next one is made while the server takes this one."""

    def following() -> tuple[memoryview, int] | None:
        frame = next(frames, None)
        if frame is None:
            return None
        buffer = io.BytesIO()
        frame.write_csv(buffer, include_header=False)
        return buffer.getbuffer(), frame.height

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo-frames") as maker:
        coming = maker.submit(following)
        while (made := coming.result()) is not None:
            coming = maker.submit(following)
            yield made
