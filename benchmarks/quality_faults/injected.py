"""What an injector gives back, and the few ways in which all of them change a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from data_platform.catalog import Series

Rows = npt.NDArray[np.int64]
Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Injected:
    """The frame with the fault in it, and names of which a finding has to mention one (none: the metric is enough)."""

    frame: pl.DataFrame
    named: tuple[str, ...] = ()


Injector = Callable[[pl.DataFrame, Series, Generator], Injected | None]
"""A frame in key order → the same with one fault; None where it has no place for this one."""

PRICE_ROLES: Final = ("price", "opening", "closing", "high", "low", "bid", "ask")


def columns_of(series: Series, roles: Sequence[str]) -> list[str]:
    """The columns that the table has for these roles."""
    return [name for role in roles if (name := getattr(series, role)) is not None]


def changed(frame: pl.DataFrame, rows: Rows, **values: pl.Expr | float | None) -> pl.DataFrame:
    """The frame with the named columns set to the values on these rows, in their types."""
    at = np.zeros(frame.height, dtype=np.bool_)
    at[rows] = True
    mask = pl.lit(pl.Series(at))
    return frame.with_columns(
        pl.when(mask)
        .then(value if isinstance(value, pl.Expr) else pl.lit(value))
        .otherwise(pl.col(name))
        .cast(frame.schema[name], strict=False)
        .alias(name)
        for name, value in values.items()
    )


def multiplied(frame: pl.DataFrame, rows: Rows, names: Sequence[str], by: float) -> pl.DataFrame:
    """The frame with these columns times a number on these rows, rounded to a hundredth of a cent."""
    return changed(frame, rows, **{name: (pl.col(name).cast(pl.Float64) * by).round(4) for name in names})


def followed(frame: pl.DataFrame, series: Series, rows: Rows) -> pl.DataFrame:
    """The frame with the previous price of these rows taken from the row before, where it is the same security's."""
    if series.previous_price is None or not len(rows):
        return frame
    return changed(frame, rows, **{series.previous_price: pl.col(series.price).shift()})


def recomputed(frame: pl.DataFrame, series: Series, rows: Rows) -> pl.DataFrame:
    """The frame with both returns of these rows computed from their prices, as a source does that has only those."""
    factor, retx, ret = series.factor, series.price_return, series.total_return
    if factor is None or retx is None or ret is None or not len(rows):
        return frame
    before = frame.get_column(series.entity).shift().eq_missing(frame.get_column(series.entity))
    previous = pl.when(pl.lit(before)).then(pl.col(series.price).shift())
    if series.previous_price is not None:
        previous = pl.coalesce(previous, pl.col(series.previous_price))
    growth = (pl.col(series.price) * pl.col(factor) / previous - 1).round(6)
    extra = (pl.col(ret) - pl.col(retx)).fill_null(0.0)
    return changed(frame, rows, **{ret: growth + extra, retx: growth})


def rows_of(frame: pl.DataFrame, series: Series, entity: object) -> Rows:
    """Where the rows of a security are."""
    return np.flatnonzero((frame.get_column(series.entity) == entity).to_numpy()).astype(np.int64)


def usable(frame: pl.DataFrame, series: Series) -> npt.NDArray[np.bool_]:
    """Rows with a price and a return that are not of a delisting."""
    fine = frame.get_column(series.price).is_not_null()
    if series.price_return is not None:
        fine &= frame.get_column(series.price_return).is_not_null()
    if series.leaving is not None:
        fine &= frame.get_column(series.leaving).fill_null("N") != "Y"
    return fine.to_numpy()


def a_stretch(
    frame: pl.DataFrame, series: Series, rng: Generator, length: int, *, margin: int = 5
) -> tuple[object, Rows] | None:
    """A security and consecutive rows of it, all usable, with a margin before and after; None when there are none."""
    good = usable(frame, series)
    for entity in rng.permutation(frame.get_column(series.entity).unique(maintain_order=True).to_numpy()).tolist():
        rows = rows_of(frame, series, entity)
        starts = [at for at in range(margin, len(rows) - length - margin + 1) if good[rows[at : at + length]].all()]
        if starts:
            at = int(rng.choice(starts))
            return entity, rows[at : at + length]
    return None


def coin(rng: Generator) -> bool:
    """True or False, each as often."""
    return bool(rng.random() < 0.5)  # noqa: PLR2004 - a coin


def name_of(series: Series, entity: object) -> str:
    """How a finding calls a security."""
    return f"{series.entity} {entity}"
