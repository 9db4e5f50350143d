"""Putting the demo into this home: the market into its Postgres server, the data library's files into its folder."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from data_platform.errors import ConfigurationError, DatabaseUnavailableError
from data_platform.records.private_files import private_folder, write_private
from data_platform.settings import Settings
from data_platform.sources.demo.library import library_files
from data_platform.sources.demo.marker import (
    DemoMarker,
    demo_marker,
    library_folder,
    remove_marker,
    write_marker,
)
from data_platform.sources.demo.market import simulate
from data_platform.sources.demo.relation import COLUMN_TYPES, SCHEMA, TABLE, relation_frame

if TYPE_CHECKING:
    import polars as pl

    from data_platform.records.databases import Databases, DemoServer

GENERATOR: Final = 2
"""Counts up whenever the same seed would give other rows or files, so that old demos are generated anew."""

DEFAULT_SEED: Final = 20_240_229
DEFAULT_YEARS: Final = (2020, 2024)
DEFAULT_SECURITIES: Final = 150
_COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What the home holds now; `loaded` is False when it was all there before. `seconds` is wall time."""

    marker: DemoMarker
    loaded: bool
    seconds: float


def load_demo(
    settings: Settings,
    databases: Databases,
    *,
    seed: int = DEFAULT_SEED,
    years: tuple[int, int] = DEFAULT_YEARS,
    securities: int = DEFAULT_SECURITIES,
) -> DemoSummary:
    """Generate and load the demo of these years (both inclusive); quick when the same one is there already.

    Raises:
        ConfigurationError: when the operational database is the user's own server, where the demo may not go.
        DatabaseUnavailableError: when the server is away.
    """
    started = time.monotonic()
    if databases.demo is None:
        raise ConfigurationError(
            "The demo needs the embedded database server, and DATA_PLATFORM_POSTGRES_URL names another one.",
            hint="Unset it, or set DATA_PLATFORM_HOME to a folder for the demo and unset it there.",
        )
    signature = f"Synthetic data of data-platform: generator {GENERATOR}, seed {seed}, years {years[0]} to {years[1]}, "
    signature += f"{securities} securities."
    present = demo_marker(settings)
    try:
        with _as_owner(databases.demo) as connection:
            # A second demo at the same time waits for the first, then finds it loaded.
            connection.execute("SELECT pg_advisory_lock(hashtextextended('data-platform demo', 0))")
            present = demo_marker(settings)
            in_database = _signature(connection) == signature
            if in_database and present is not None and _same(present, seed, years, securities):
                return DemoSummary(present, loaded=False, seconds=time.monotonic() - started)
            remove_marker(settings)
            market = simulate(seed, *years, securities)
            frame = relation_frame(market, seed)
            if not in_database:
                _replace_relation(connection, frame, databases.demo.reader, signature)
    except psycopg.OperationalError:
        raise DatabaseUnavailableError(
            "The embedded database server is away; the demo was not loaded.", hint="Run `data-platform demo` again."
        ) from None
    library = private_folder(library_folder(settings))
    for name, content in library_files(market).items():
        write_private(library / name, content)
    marker = DemoMarker(
        generator=GENERATOR,
        seed=seed,
        first_year=years[0],
        last_year=years[1],
        securities=securities,
        rows=frame.height,
    )
    write_marker(settings, marker)
    return DemoSummary(marker, loaded=True, seconds=time.monotonic() - started)


def _same(marker: DemoMarker, seed: int, years: tuple[int, int], securities: int) -> bool:
    wanted = (GENERATOR, seed, *years, securities)
    return wanted == (marker.generator, marker.seed, marker.first_year, marker.last_year, marker.securities)


def _as_owner(server: DemoServer) -> psycopg.Connection:
    return psycopg.connect(
        host=str(server.socket_folder),
        port=server.port,
        dbname=server.dbname,
        user=server.owner,
        password=server.owner_password,
        application_name="data-platform demo",
        connect_timeout=10,
    )


def _signature(connection: psycopg.Connection) -> str | None:
    row = connection.execute("SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", (SCHEMA,)).fetchone()
    connection.commit()
    return row[0] if row else None


def _replace_relation(connection: psycopg.Connection, frame: pl.DataFrame, reader: str, signature: str) -> None:
    """All in one transaction: a reader sees the former relation or the new one, with its rights and its comment."""
    relation = sql.Identifier(SCHEMA, TABLE)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in COLUMN_TYPES.items()
    )
    modified = dt.datetime.now(ZoneInfo("America/New_York")).strftime("Last modified: %m/%d/%Y %H:%M:%S")
    content = memoryview(frame.write_csv(include_header=False).encode())
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(relation))
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(relation, columns))
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv, NULL '')").format(relation)) as copy:
            for start in range(0, len(content), _COPY_BYTES):
                copy.write(content[start : start + _COPY_BYTES])
        # The form of WRDS's own comments, from which its users tell when a table was last refreshed.
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(relation, sql.Literal(modified)))
        cursor.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(SCHEMA), sql.Literal(signature)))
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(SCHEMA), sql.Identifier(reader)))
        cursor.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(relation, sql.Identifier(reader)))
