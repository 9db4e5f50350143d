"""Price drift: the same price, from two places, differs by more than one percent. Pure: two frames in, a finding out.

A pair of places is one declaration. Places are a table's version beside the one before it, and two tables that hold the
same price of the same security and date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import polars as pl

from data_platform.catalog import TABLES
from data_platform.catalog.series import Series

TOLERANCE_PCT: Final = 1.0
_ROUNDING: Final = 1e-9
"""Of binary fractions: 101 beside 100 is a percent and no more."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Prices of `table` are held against those of `against`; the same name means: against its own version before.

    Both tables have a `series`, whose entities are the same, and the same names of partitions.
    """

    table: str
    against: str

    @property
    def is_of_versions(self) -> bool:
        """Whether a table is compared with itself."""
        return self.table == self.against

    @property
    def name(self) -> str:
        """What the pair is known by."""
        return f"{self.table}|{self.against}"


PAIRS: Final[tuple[Pair, ...]] = (
    *(Pair(table.name, table.name) for table in TABLES.values() if table.series is not None),
    # At the last session of each month both have the price of that day.
    Pair("crsp_monthly", "crsp_daily"),
)


@dataclass(frozen=True, slots=True)
class Drift:
    """Of so many prices that both places have, how many drifted, by how much at most, of how many entities, and when.

    `worst_pct` is 0 and the dates are None when none did.
    """

    compared: int
    drifted: int = 0
    entities: int = 0
    worst_pct: float = 0.0
    first: dt.date | None = None
    last: dt.date | None = None


def drift_between(
    measured: pl.LazyFrame, against: pl.LazyFrame, series: Series, other: Series, tolerance_pct: float = TOLERANCE_PCT
) -> Drift:
    """Hold the prices of `measured` against those of the same entity and date in the other frame.

    A price that is 0 or missing is none, and signs are taken off. A difference that the cumulative factors of the two
    places explain is a corporate action told in two ways, and no drift: the adjusted prices agree. Rows of a delisting
    are left out, whose prices follow rules of their own.

    Args:
        measured: A table's rows, with the columns of `series`.
        against: Rows to hold them against, with the columns of `other`.
        series: Which columns of `measured` are what.
        other: The same for `against`.
        tolerance_pct: Up to how many percent of the other price are no drift.
    """
    both = _prices(measured, series).join(_prices(against, other), on=["entity", "date"], suffix="_other")
    apart = (pl.col("price") / pl.col("price_other") - 1).abs() * 100
    adjusted = (pl.col("price") / pl.col("factor") * pl.col("factor_other") / pl.col("price_other") - 1).abs() * 100
    judged = both.select("entity", "date", apart.alias("pct"), adjusted.alias("adjusted_pct"))
    limit = tolerance_pct + _ROUNDING
    far = (pl.col("pct") > limit) & (pl.col("adjusted_pct").fill_null(pl.col("pct")) > limit)
    found = judged.select(
        compared=pl.len(),
        drifted=far.sum(),
        entities=pl.col("entity").filter(far).n_unique(),
        worst_pct=pl.col("pct").filter(far).max().fill_null(0.0),
        first=pl.col("date").filter(far).min(),
        last=pl.col("date").filter(far).max(),
    ).collect()
    return Drift(**found.row(0, named=True))


def _prices(rows: pl.LazyFrame, series: Series) -> pl.LazyFrame:
    factor = pl.lit(None, pl.Float64) if series.cumulative_factor is None else pl.col(series.cumulative_factor)
    staying = pl.lit(True) if series.leaving is None else pl.col(series.leaving).eq_missing("Y").not_()  # noqa: FBT003
    return (
        rows.filter(staying)
        .select(
            entity=pl.col(series.entity),
            date=pl.col(series.date),
            price=pl.col(series.price).cast(pl.Float64).abs(),
            factor=pl.when(factor > 0).then(factor.cast(pl.Float64)),
        )
        .filter(pl.col("price") > 0)
    )
