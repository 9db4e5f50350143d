"""Which partitions a table has: its years from the first configured one to the current one, or the one whole."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog import Partitioning, Table
from data_platform.catalog.model import WHOLE
from data_platform.errors import ConfigurationError, UsageError
from data_platform.settings import Settings
from data_platform.sources.demo.marker import demo_marker

_LATE_UNTIL_MONTH: Final = 3
"""March: until then a source still completes the year before."""


def years(settings: Settings, today: dt.date) -> tuple[int, int]:
    """The first and last year of yearly partitions, both inclusive; a demo home has the demo's years.

    Raises:
        ConfigurationError: when the first configured year is to come.
    """
    marker = demo_marker(settings)
    if marker is not None and settings.wrds_username is None:
        return marker.first_year, marker.last_year
    if settings.start_year > today.year:
        raise ConfigurationError(
            f"DATA_PLATFORM_START_YEAR is {settings.start_year}, a year to come.", hint="Set the first year you need."
        )
    return settings.start_year, today.year


def partitions_of(table: Table, settings: Settings, today: dt.date) -> list[str]:
    """Every partition of a table, oldest first."""
    if table.partitioning is Partitioning.WHOLE:
        return [WHOLE]
    first, last = years(settings, today)
    return [str(year) for year in range(max(first, table.first_date.year), last + 1)]


def current_partitions(table: Table, settings: Settings, today: dt.date) -> list[str]:
    """The partitions whose source still changes by itself, oldest first: what a schedule syncs.

    Of yearly tables the current year, in January to March the year before too, for what arrives late; of a table whose
    years have ended, as a demo's, the last ones. A table kept whole is synced whole.
    """
    return partitions_of(table, settings, today)[-2 if today.month <= _LATE_UNTIL_MONTH else -1 :]


def choose_partitions(table: Table, known: list[str], requested: list[str], *, all_of_them: bool) -> list[str]:
    """The partitions a request means, oldest first, each once.

    Raises:
        UsageError: for a partition that the table does not have, or when a partitioned table is asked for without
            saying which partitions.
    """
    if table.partitioning is Partitioning.WHOLE:
        for partition in requested:
            table.partition_range(partition)
        return list(known)
    unknown = sorted(set(requested) - set(known))
    if unknown:
        for partition in unknown:
            table.partition_range(partition)
        raise UsageError(
            f"{table.name} has no partition {', '.join(unknown)}.",
            hint=f"Its partitions are {known[0]} to {known[-1]}; DATA_PLATFORM_START_YEAR sets the first.",
        )
    if all_of_them:
        return list(known)
    if not requested:
        raise UsageError(
            f"{table.name} is partitioned by year: say which.",
            hint=f"For example --partition {known[-1]}, or --all for {known[0]} to {known[-1]}.",
        )
    return sorted(set(requested))
