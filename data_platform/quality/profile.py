"""The profile: the few statistics of a staged frame that the validators judge by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Profile:
    """Statistics of one partition.

    `dates` are the distinct ones, in order, empty for a table without; `rows_by_date` is how many rows each has.
    `spans` has one row per entity (the key without the date): first and last date and number of rows; it is None for a
    table whose key is the date alone or has no date. `disorder` counts rows that come before the row before them in
    key order, missing values last.
    """

    rows: int
    null_counts: Mapping[str, int]
    dates: tuple[dt.date, ...]
    spans: pl.DataFrame | None
    duplicate_keys: int
    disorder: int
    rows_by_date: tuple[int, ...] = ()


def profile_frame(
    frame: pl.LazyFrame, *, key: tuple[str, ...], date_column: str | None, null_counts: Mapping[str, int]
) -> Profile:
    """Compute the profile from the columns of the key and the date, whatever else the table holds.

    `null_counts` were counted while the rows were written. Memory grows with the key's columns (12 bytes a row for a
    permno and a date), dates and entities.
    """
    keys = frame.select(key)
    entity = [name for name in key if name != date_column] if date_column in key else []
    counts = keys.select(
        pl.len().alias("rows"),
        same_as_previous(key).sum().alias("duplicates"),
        before_previous(key).sum().alias("disorder"),
    )
    queries = [counts]
    if date_column is not None:
        queries.append(
            frame.select(pl.col(date_column).drop_nulls())
            .group_by(date_column)
            .agg(pl.len().alias("rows"))
            .sort(date_column)
        )
        if entity:
            queries.append(
                keys.group_by(entity).agg(
                    pl.col(date_column).min().alias("first"),
                    pl.col(date_column).max().alias("last"),
                    pl.len().alias("rows"),
                )
            )
    collected = pl.collect_all(queries, engine="streaming")
    row = collected[0].row(0, named=True)
    return Profile(
        rows=int(row["rows"]),
        null_counts=null_counts,
        dates=tuple(collected[1].get_column(date_column).to_list()) if date_column is not None else (),
        spans=collected[2] if entity else None,
        duplicate_keys=int(row["duplicates"] or 0),
        disorder=int(row["disorder"] or 0),
        rows_by_date=tuple(collected[1].get_column("rows").to_list()) if date_column is not None else (),
    )


def same_as_previous(key: tuple[str, ...]) -> pl.Expr:
    """Whether a row's key is that of the row before it; two missing parts are the same."""
    return pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift()) for name in key])


def before_previous(key: tuple[str, ...]) -> pl.Expr:
    """Whether a row's key is smaller than that of the row before it, compared column by column, missing values last.

    The first column is never missing, so the first row, which has none before it, is never smaller.
    """
    smaller = pl.lit(value=False)
    tied = pl.lit(value=True)
    for name in key:
        column, previous = pl.col(name), pl.col(name).shift()
        smaller = smaller | (tied & (column < previous).fill_null(value=False))
        if name != key[0]:
            smaller = smaller | (tied & column.is_not_null() & previous.is_null())
        tied = tied & column.eq_missing(previous)
    return smaller
