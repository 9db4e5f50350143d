"""Choosing where a table's rows come from: the real address, or the demo that this home holds."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from data_platform.catalog import Partitioning, Table, WrdsQuery
from data_platform.catalog.model import WHOLE
from data_platform.errors import PlatformError, SourceError
from data_platform.settings import KEN_FRENCH_URL, Settings
from data_platform.sources.base import Source
from data_platform.sources.demo.marker import demo_marker, library_folder

if TYPE_CHECKING:
    from data_platform.records.databases import Databases
    from data_platform.sources.wrds.address import WrdsAddress


def open_source(table: Table, settings: Settings, databases: Databases | None) -> AbstractContextManager[Source]:
    """Open the source that the table's declaration names, for the length of the block.

    What the settings name wins over the demo: a WRDS user, or an address of the data library. They also say whether
    CRSP's older format is read. A table of the data library that WRDS has a copy of comes from there when a WRDS user
    is set and the library cannot be reached.

    Raises:
        SourceError: when WRDS credentials are missing, or the server cannot be reached or refuses them.
        ConfigurationError: when the address of the data library is not an HTTP address.
    """
    return (
        _open_wrds(table, settings, databases) if isinstance(table.origin, WrdsQuery) else _open_site(table, settings)
    )


@contextmanager
def _open_wrds(table: Table, settings: Settings, databases: Databases | None) -> Generator[Source]:
    # The sources' own imports (the wrds package, HTTP, polars) cost seconds: only the one that is needed pays.
    from data_platform.sources.standing_in import RedeclaredSource  # noqa: PLC0415 - see above
    from data_platform.sources.wrds.source import open_wrds  # noqa: PLC0415 - see above

    name, address = _choose_wrds(table, settings, databases)
    with open_wrds(name, address) as source:
        if _as_asked_for(table, settings) is table:
            yield source
        else:
            yield RedeclaredSource(f"{name}_siz", source, lambda asked: asked.in_siz)


def _as_asked_for(table: Table, settings: Settings) -> Table:
    """The table as it comes in the format of CRSP's that the settings ask for."""
    return table.in_siz if settings.crsp_format == "siz" else table


def entitlements(
    tables: Iterable[Table], settings: Settings, databases: Databases | None
) -> dict[str, PlatformError | None]:
    """Sign in to WRDS once and see which of its tables the account may read: by name what keeps it from one, or None.

    Raises:
        SourceError: when WRDS credentials are missing, or the server cannot be reached or refuses them.
    """
    from data_platform.sources.wrds.source import open_wrds  # noqa: PLC0415 - as above

    found: dict[str, PlatformError | None] = {}
    asked = [table for table in tables if isinstance(table.origin, WrdsQuery)]
    with open_wrds(*_choose_wrds(asked[0], settings, databases)) as source:
        for table in asked:
            partition = WHOLE if table.partitioning is Partitioning.WHOLE else str(table.first_date.year)
            try:
                source.probe(_as_asked_for(table, settings), partition)
                found[table.name] = None
            except PlatformError as error:
                found[table.name] = error
    return found


@contextmanager
def _open_site(table: Table, settings: Settings) -> Generator[Source]:
    from data_platform.sources.demo.site import serve_folder  # noqa: PLC0415 - as above
    from data_platform.sources.ken_french.source import open_ken_french  # noqa: PLC0415 - as above
    from data_platform.sources.standing_in import standing_in  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        name, url = "ken_french", settings.ken_french_url or KEN_FRENCH_URL
        if settings.ken_french_url is None and demo_marker(settings) is not None:
            name, url = "ken_french_demo", stack.enter_context(serve_folder(library_folder(settings)))
        source: Source = stack.enter_context(open_ken_french(name, url))
        if settings.wrds_username is not None and table.on_wrds is not None:
            source = stack.enter_context(standing_in(source, lambda: _open_copy(table, settings)))
        yield source


@contextmanager
def _open_copy(table: Table, settings: Settings) -> Generator[Source]:
    from data_platform.sources.standing_in import RedeclaredSource  # noqa: PLC0415 - as above
    from data_platform.sources.wrds.source import open_wrds  # noqa: PLC0415 - as above

    name, address = _choose_wrds(table, settings, None)
    with open_wrds(name, address) as source:
        yield RedeclaredSource(name, source, lambda asked: asked.on_wrds or asked)


def _choose_wrds(table: Table, settings: Settings, databases: Databases | None) -> tuple[str, WrdsAddress]:
    from data_platform.sources.wrds.address import WrdsAddress  # noqa: PLC0415 - loads the database driver

    if settings.wrds_username is not None:
        return "wrds", WrdsAddress.from_settings(settings, settings.wrds_username)
    demo = databases.demo if databases is not None else None
    if demo is not None and demo_marker(settings) is not None:
        return "demo", WrdsAddress(
            host=str(demo.socket_folder),
            port=demo.port,
            dbname=demo.dbname,
            user=demo.reader,
            password=demo.reader_password,
            sslmode="disable",
        )
    raise SourceError(
        f"WRDS credentials are missing: {table.name} comes from WRDS and no user is set.",
        hint="Set DATA_PLATFORM_WRDS_USERNAME and DATA_PLATFORM_WRDS_PASSWORD, or run `data-platform demo` to try "
        "everything on synthetic data.",
    )
