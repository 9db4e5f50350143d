"""The vocabulary of a declaration: Column, Table, Dataset, and where a table's rows come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import pyarrow as pa

from data_platform.catalog.dtypes import arrow_type
from data_platform.catalog.rules import Rule
from data_platform.catalog.series import Series
from data_platform.errors import UsageError


class Partitioning(StrEnum):
    """How a table is cut into the pieces that are synced, validated and published one by one."""

    YEAR = "year"
    WHOLE = "whole"


WHOLE = "all"
"""The partition name of a table that is kept in one piece."""


@dataclass(frozen=True, slots=True)
class Column:
    """One published column.

    `source` is its name where it comes from; `unit` is what one unit of the stored number means (``decimal``: 0.01
    is one percent); `max_null_share` is the share of missing values above which a partition is refused.
    """

    name: str
    dtype: str
    source: str
    description: str
    unit: str = ""
    nullable: bool = True
    max_null_share: float = 1.0

    @property
    def arrow_field(self) -> pa.Field[pa.DataType]:
        """The Arrow field under which the column is stored."""
        return pa.field(self.name, arrow_type(self.dtype), nullable=self.nullable)


@dataclass(frozen=True, slots=True)
class WrdsQuery:
    """Rows from a WRDS relation by the query in `sql/extract/<sql>`, cut on the relation's own `date_column`.

    The query selects the published columns under their published names, in the table's order. That of a table kept by
    year takes the parameters ``%(start)s`` (inclusive) and ``%(end)s`` (exclusive); that of a table kept whole takes
    none and has no `date_column`. It has no ORDER BY: the transport adds the key's.

    `siz` is where the same columns come from in CRSP's older format, for a table that had one.
    """

    relation: str
    sql: str
    date_column: str | None = None
    siz: WrdsQuery | None = None

    @property
    def schema(self) -> str:
        """The library (Postgres schema) that a subscription must cover."""
        return self.relation.partition(".")[0]


@dataclass(frozen=True, slots=True)
class KenFrenchFile:
    """One zip of the data library: which of its columns become ours, and which merely repeat another file's.

    `columns` maps the site's header to the published column; `repeats` maps headers to published columns that an
    earlier file fills and that are only compared.
    """

    name: str
    columns: Mapping[str, str]
    repeats: Mapping[str, str] = field(default_factory=dict[str, str])


SiteFrequency = Literal["daily", "monthly"]
"""Which tables of the data library's files are ours. Monthly files also hold annual tables, which are never stored."""


@dataclass(frozen=True, slots=True)
class KenFrenchSite:
    """Rows from Ken French's data library: of each file the first table of that frequency, outer-joined on dates.

    `wrds` is where the same columns can be had when the site is not reachable.
    """

    files: tuple[KenFrenchFile, ...]
    frequency: SiteFrequency = "daily"
    wrds: WrdsQuery | None = None


@dataclass(frozen=True, slots=True)
class KenFrenchPortfolios:
    """Rows from one file of the data library that holds a table for each measure of the same `count` portfolios.

    Published long, as `date`, `industry`, `weighting` (vw, ew) and `ret`; a table that declares `n_firms` and
    `avg_firm_size` gets them too, the same on the rows of both weightings.
    """

    file: str
    count: int
    frequency: SiteFrequency


@dataclass(frozen=True, slots=True)
class Table:
    """One published table. `first_date` bounds what its date column may hold; `calendar` names its sessions.

    The calendar is an exchange's code, such as ``XNYS``, ``month_end`` for the last calendar day of every month, or
    ``last_session:XNYS`` for the last session of every month; None where rows stand on no regular dates (events,
    ranges, fiscal periods). `date_column` is None where rows have no date of their own (codes, companies).

    The first column of the key is never null. Others may be where the source leaves them open; such a row comes after
    those with a value.

    `rules` are what a partition's rows must keep beyond types, missing values, dates and the key. They do not decide
    how rows are stored, so a new rule fetches nothing again.
    `series` names the columns of a table of prices by their roles; anomalies within a partition are sought by them.
    """

    name: str
    dataset: str
    title: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    date_column: str | None
    partitioning: Partitioning
    origin: WrdsQuery | KenFrenchSite | KenFrenchPortfolios
    calendar: str | None
    first_date: dt.date
    rules: tuple[Rule, ...] = ()
    series: Series | None = None

    @property
    def arrow_schema(self) -> pa.Schema:
        """The published columns, in order, with their Arrow types."""
        return pa.schema([column.arrow_field for column in self.columns])

    def column(self, name: str) -> Column:
        """Return the column of that name; `KeyError` when the declaration has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def in_siz(self) -> Table:
        """The same table as it comes from CRSP's older format; itself where there is no such thing."""
        siz = self.origin.siz if isinstance(self.origin, WrdsQuery) else None
        return self if siz is None else replace(self, origin=siz)

    @property
    def on_wrds(self) -> Table | None:
        """The same table as it comes from WRDS when its own site is not reachable; None when WRDS has no copy."""
        copy = self.origin.wrds if isinstance(self.origin, KenFrenchSite) else None
        return None if copy is None else replace(self, origin=copy)

    def partition_range(self, partition: str) -> tuple[dt.date, dt.date] | None:
        """The dates a partition covers, first inclusive and last exclusive; None for a table kept whole.

        Raises:
            UsageError: when the partition's name does not fit the table's partitioning.
        """
        if self.partitioning is Partitioning.WHOLE:
            if partition != WHOLE:
                raise UsageError(
                    f"{self.name} is not partitioned; {partition!r} is no partition of it.",
                    hint="Leave the partition out.",
                )
            return None
        if not (len(partition) == 4 and partition.isascii() and partition.isdigit() and partition >= "1800"):  # noqa: PLR2004
            raise UsageError(
                f"{partition!r} is no partition of {self.name}.", hint="Partitions are years, such as 2024."
            )
        return dt.date(int(partition), 1, 1), dt.date(int(partition) + 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A licence family: what permissions and licences speak of."""

    name: str
    title: str
    licence: str
    tables: tuple[Table, ...]
