"""Putting the demo into this home: relations into its Postgres server, the library and the truth into its folder.

The marker is written last, so whoever sees it finds the demo complete.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

from data_platform.errors import ConfigurationError, DatabaseUnavailableError
from data_platform.records.private_files import private_folder, write_private
from data_platform.settings import Settings
from data_platform.sources.demo.crsp import dsf_v2
from data_platform.sources.demo.library import library_files
from data_platform.sources.demo.marker import (
    DemoMarker,
    demo_marker,
    library_folder,
    remove_marker,
    truth_folder,
    write_marker,
)
from data_platform.sources.demo.replacing import LoadProgress, Watcher, replace_relations, signature_of
from data_platform.sources.demo.size import DEFAULT_ROWS, securities_for
from data_platform.sources.demo.truth import write_truth
from data_platform.sources.demo.vintages import check_vintage
from data_platform.sources.demo.world import World, world_of

if TYPE_CHECKING:
    from data_platform.records.databases import Databases, DemoServer

GENERATOR: Final = 3
"""Counts up whenever the same seed would give other rows or files, so that old demos are generated anew."""

DEFAULT_SEED: Final = 20_240_102
DEFAULT_YEARS: Final = (2020, 2024)


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What the home holds now; `loaded` is False when it was all there before. `seconds` is wall time."""

    marker: DemoMarker
    loaded: bool
    seconds: float


def _ignore(progress: LoadProgress) -> None:
    """Nobody watches."""


def load_demo(
    settings: Settings,
    databases: Databases,
    *,
    seed: int = DEFAULT_SEED,
    years: tuple[int, int] = DEFAULT_YEARS,
    rows: int | None = None,
    securities: int | None = None,
    vintage: int = 1,
    watch: Watcher = _ignore,
) -> DemoSummary:
    """Generate and load the demo of these years (both inclusive); quick when the same one is there already.

    `rows` is the number of rows wanted of `crsp.dsf_v2`, and there will be about as many; `securities`, when given,
    takes its place. `watch` hears of every part that is loaded.

    Raises:
        UsageError: when there can't be so many rows, or there is no such vintage.
        ConfigurationError: when the operational database is the user's own server, where the demo may not go.
        DatabaseUnavailableError: when the server is away.
    """
    started = time.monotonic()
    check_vintage(vintage)
    count = securities or securities_for(DEFAULT_ROWS if rows is None else rows, years)
    if databases.demo is None:
        raise ConfigurationError(
            "The demo needs the embedded database server, and DATA_PLATFORM_POSTGRES_URL names another one.",
            hint="Unset it, or set DATA_PLATFORM_HOME to a folder for the demo and unset it there.",
        )
    signature = f"Synthetic data of data-platform: generator {GENERATOR}, seed {seed}, years {years[0]} to {years[1]}, "
    signature += f"{count} securities, vintage {vintage}."
    try:
        with _as_owner(databases.demo) as connection:
            # A second demo at the same time waits for the first, then finds it loaded.
            connection.execute("SELECT pg_advisory_lock(hashtextextended('data-platform demo', 0))")
            present = demo_marker(settings)
            in_database = signature_of(connection) == signature
            if in_database and present is not None and _same(present, seed, years, count, vintage):
                return DemoSummary(present, loaded=False, seconds=time.monotonic() - started)
            remove_marker(settings)
            world = world_of(seed, years, count, vintage)
            if not in_database:
                replace_relations(connection, world, databases.demo.reader, signature, watch)
    except psycopg.OperationalError:
        raise DatabaseUnavailableError(
            "The embedded database server is away; the demo was not loaded.", hint="Run `data-platform demo` again."
        ) from None
    _write_files(settings, world)
    marker = DemoMarker(
        generator=GENERATOR,
        seed=seed,
        first_year=years[0],
        last_year=years[1],
        securities=count,
        rows=dsf_v2.rows(world.market),
        vintage=vintage,
    )
    write_marker(settings, marker)
    return DemoSummary(marker, loaded=True, seconds=time.monotonic() - started)


def _write_files(settings: Settings, world: World) -> None:
    library = private_folder(library_folder(settings))
    for name, content in library_files(world.market, world.factors).items():
        write_private(library / name, content)
    write_truth(truth_folder(settings), world.market)


def _same(marker: DemoMarker, seed: int, years: tuple[int, int], securities: int, vintage: int) -> bool:
    wanted = (GENERATOR, seed, *years, securities, vintage)
    return wanted == (
        marker.generator,
        marker.seed,
        marker.first_year,
        marker.last_year,
        marker.securities,
        marker.vintage,
    )


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
