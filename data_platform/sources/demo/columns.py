"""From arrays to columns of a relation: NaN and -1 become null, a relation's order is that of its declaration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data_platform.sources.demo.market.universe import Floats, Ints

Values = pl.Series | Floats | Ints | Sequence[Any] | str | int | None
"""A column, or the one value that every row has."""


def number(values: Floats) -> pl.Series:
    """Null where the array is NaN."""
    return pl.Series(values, nan_to_null=True)


def when(condition: pl.Series | npt.NDArray[np.bool_], values: pl.Series) -> pl.Series:
    """The values where the condition holds, else null."""
    return pl.select(pl.when(pl.lit(pl.Series(condition))).then(pl.lit(values))).to_series()


def picked(choices: Sequence[str | None], index: Ints) -> pl.Series:
    """The text at each index, null where the index is -1."""
    texts = pl.Series([*choices, None], dtype=pl.String)
    return texts.gather(np.where(index < 0, len(choices), index))


def days(sessions: Sequence[dt.date], index: Ints) -> pl.Series:
    """The date at each index, null where the index is -1."""
    dates = pl.Series([*sessions, None], dtype=pl.Date)
    return dates.gather(np.where(index < 0, len(sessions), index))


def in_order(columns: Mapping[str, Values], declared: Mapping[str, str]) -> pl.DataFrame:
    """A frame of exactly the declared columns in their order; whoever has one value for all rows gives just that.

    Raises:
        KeyError: when a declared column is missing or one is there that is not declared.
    """
    if columns.keys() != declared.keys():
        raise KeyError(f"missing or not declared: {sorted(columns.keys() ^ declared.keys())}")
    full = {name: values for name, values in columns.items() if not isinstance(values, str | int | None)}
    constants = [pl.lit(value).alias(name) for name, value in columns.items() if name not in full]
    return pl.DataFrame(full).with_columns(constants).select(list(declared))
