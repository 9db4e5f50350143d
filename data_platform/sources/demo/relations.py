"""Every relation of the synthetic WRDS: its name, its columns, and how its rows are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, LiteralString

import polars as pl

from data_platform.sources.demo.compustat import company, file_dates, funda, fundq
from data_platform.sources.demo.crsp import (
    delists,
    dictionary,
    distributions,
    dsf_v2,
    links,
    msf_v2,
    security_history,
)
from data_platform.sources.demo.ff import factors
from data_platform.sources.demo.siz import delists as siz_delists
from data_platform.sources.demo.siz import dsf, msf, names
from data_platform.sources.demo.world import World

Frames = Callable[[World], Iterator[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the synthetic WRDS; `frames` makes its rows, one frame after another.

    `date` is the column that WRDS has an index on, where users ask for years; `rows` tells how many there will be,
    where that is known before they are made.
    """

    schema: str
    name: str
    columns: Mapping[str, LiteralString]
    frames: Frames
    date: str | None = None
    rows: Callable[[World], int] | None = None

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


def _one(frame: Callable[[World], pl.DataFrame]) -> Frames:
    def frames(world: World) -> Iterator[pl.DataFrame]:
        yield frame(world)

    return frames


RELATIONS: Final = (
    Relation(
        "crsp",
        "dsf_v2",
        dsf_v2.COLUMN_TYPES,
        lambda world: dsf_v2.relation_frames(world.market, world.vintage),
        "dlycaldt",
        lambda world: dsf_v2.rows(world.market),
    ),
    Relation("crsp", "msf_v2", msf_v2.COLUMN_TYPES, lambda world: msf_v2.relation_frames(world.market), "mthcaldt"),
    Relation(
        "crsp",
        "stksecurityinfohist",
        security_history.COLUMN_TYPES,
        _one(lambda world: security_history.relation_frame(world.market)),
    ),
    Relation("crsp", "stkdelists", delists.COLUMN_TYPES, _one(lambda world: delists.relation_frame(world.market))),
    Relation(
        "crsp",
        "stkdistributions",
        distributions.COLUMN_TYPES,
        _one(lambda world: distributions.relation_frame(world.market)),
        "disexdt",
    ),
    Relation("crsp", "metaflaginfo", dictionary.FLAG_COLUMNS, _one(lambda _: dictionary.flag_frame())),
    Relation("crsp", "metaiteminfo", dictionary.ITEM_COLUMNS, _one(lambda _: dictionary.item_frame())),
    Relation("crsp", "ccmxpf_lnkhist", links.COLUMN_TYPES, _one(lambda world: links.relation_frame(world.market))),
    Relation(
        "crsp",
        "dsf",
        dsf.COLUMN_TYPES,
        lambda world: dsf.relation_frames(world.market),
        "date",
        lambda world: dsf.rows(world.market),
    ),
    Relation("crsp", "msf", msf.COLUMN_TYPES, lambda world: msf.relation_frames(world.market), "date"),
    Relation("crsp", "dsenames", names.COLUMN_TYPES, _one(lambda world: names.relation_frame(world.market))),
    Relation(
        "crsp", "dsedelist", siz_delists.COLUMN_TYPES, _one(lambda world: siz_delists.relation_frame(world.market))
    ),
    Relation(
        "comp",
        "funda",
        funda.COLUMN_TYPES,
        _one(lambda world: funda.relation_frame(world.market, world.statements)),
        "datadate",
    ),
    Relation(
        "comp",
        "fundq",
        fundq.COLUMN_TYPES,
        _one(lambda world: fundq.relation_frame(world.market, world.statements)),
        "datadate",
    ),
    Relation(
        "comp",
        "company",
        company.COMPANY_COLUMNS,
        _one(lambda world: company.company_frame(world.market, world.statements.quarters)),
    ),
    Relation("comp", "security", company.SECURITY_COLUMNS, _one(lambda world: company.security_frame(world.market))),
    Relation(
        "comp",
        "co_filedate",
        file_dates.COLUMN_TYPES,
        _one(lambda world: file_dates.relation_frame(world.statements)),
        "datadate",
    ),
    Relation(
        "ff",
        "factors_daily",
        factors.DAILY_COLUMNS,
        _one(lambda world: factors.daily_frame(world.market, world.factors)),
    ),
    Relation(
        "ff",
        "factors_monthly",
        factors.MONTHLY_COLUMNS,
        _one(lambda world: factors.monthly_frame(world.market, world.factors)),
    ),
    Relation(
        "ff",
        "fivefactors_daily",
        factors.FIVE_DAILY_COLUMNS,
        _one(lambda world: factors.daily_frame(world.market, world.factors, five=True)),
    ),
    Relation(
        "ff",
        "fivefactors_monthly",
        factors.FIVE_MONTHLY_COLUMNS,
        _one(lambda world: factors.monthly_frame(world.market, world.factors, five=True)),
    ),
)
"""In the order in which they are loaded."""

MARKED_SCHEMA: Final = "crsp"
"""Its comment says which demo the database holds."""


def relation_named(full_name: str) -> Relation:
    """Look one up by schema and name."""
    return next(relation for relation in RELATIONS if relation.full_name == full_name)
