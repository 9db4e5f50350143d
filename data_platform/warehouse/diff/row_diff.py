"""How two states of a partition differ, row by row: rows are matched by the table's key, values compared null-safe.

A null equals a null and a NaN a NaN; -0.0 equals 0.0. Polars reads and joins in a stream.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from data_platform.errors import SchemaError
from data_platform.warehouse.diff.version_diff import RowDiff

_AFTER: Final = "__after"
_OLD: Final = "__in_old"
_NEW: Final = "__in_new"


@dataclass(frozen=True, slots=True)
class RowComparison:
    """Two states of the same rows, matched by `key`; `date_column` gives the dates of a summary, if there are any.

    A column that only one of them has is named in the summary and not compared; one whose type has changed counts as
    removed and added.
    """

    old: Path
    new: Path
    key: tuple[str, ...]
    date_column: str | None

    def summary(self) -> RowDiff:
        """Count what was added, removed and changed.

        Raises:
            SchemaError: when the key is missing, or does not identify the rows of either state.
        """
        self._require_key()
        counts = self._matched().select(
            _added().sum().alias("added"),
            _removed().sum().alias("removed"),
            self._changed().sum().alias("changed"),
            *(_differs(name).sum().alias(f"column {name}") for name in self._compared),
            self._dates().min().alias("first"),
            self._dates().max().alias("last"),
        )
        row = counts.collect(engine="streaming").row(0, named=True)
        old, new = self._columns(self.old), self._columns(self.new)
        return RowDiff(
            added=row["added"],
            removed=row["removed"],
            changed=row["changed"],
            columns={name: row[f"column {name}"] for name in self._compared if row[f"column {name}"]},
            columns_added=tuple(name for name, kind in new.items() if old.get(name) != kind),
            columns_removed=tuple(name for name, kind in old.items() if new.get(name) != kind),
            first_date=_date(row["first"]),
            last_date=_date(row["last"]),
        )

    def rows(self, limit: int) -> pl.DataFrame:
        """The first `limit` differences in the key's order: key, change, column, old and new, the values as text.

        A row that was added or removed is one line without column and values.

        Raises:
            SchemaError: as `summary` does.
        """
        self._require_key()
        matched = self._matched()
        nothing = pl.lit(None, pl.String)
        parts = [
            matched.filter(_differs(name)).select(
                *self.key,
                pl.lit("changed").alias("change"),
                pl.lit(name).alias("column"),
                pl.col(name).cast(pl.String).alias("old"),
                pl.col(name + _AFTER).cast(pl.String).alias("new"),
            )
            for name in self._compared
        ]
        parts += [
            matched.filter(which).select(
                *self.key,
                pl.lit(word).alias("change"),
                nothing.alias("column"),
                nothing.alias("old"),
                nothing.alias("new"),
            )
            for word, which in (("added", _added()), ("removed", _removed()))
        ]
        order = [*self.key, "column"]
        # Each part is cut before they are put together: only so many can be among the first.
        cut = [part.sort(order, nulls_last=True).head(limit) for part in parts]
        return pl.concat(cut).sort(order, nulls_last=True).head(limit).collect(engine="streaming")

    @property
    def _compared(self) -> list[str]:
        new = self._columns(self.new)
        return [
            name for name, kind in self._columns(self.old).items() if new.get(name) == kind and name not in self.key
        ]

    def _matched(self) -> pl.LazyFrame:
        columns = [*self.key, *self._compared]
        old = pl.scan_parquet(self.old).select(columns).with_columns(pl.lit(value=True).alias(_OLD))
        new = pl.scan_parquet(self.new).select(columns).with_columns(pl.lit(value=True).alias(_NEW))
        return old.join(new, on=list(self.key), how="full", coalesce=True, nulls_equal=True, suffix=_AFTER)

    def _changed(self) -> pl.Expr:
        return pl.any_horizontal(pl.lit(value=False), *map(_differs, self._compared))

    def _dates(self) -> pl.Expr:
        touched = _added() | _removed() | self._changed()
        if self.date_column is None:
            return pl.lit(None, pl.Date)
        if self.date_column in self.key:
            return pl.col(self.date_column).filter(touched)
        if self.date_column not in self._compared:
            return pl.lit(None, pl.Date)
        return pl.coalesce(self.date_column + _AFTER, self.date_column).filter(touched)

    def _require_key(self) -> None:
        old, new = self._columns(self.old), self._columns(self.new)
        if not self.key or any(name not in old or old[name] != new.get(name) for name in self.key):
            raise SchemaError("The two versions have no key of the same columns in common; rows cannot be matched.")
        for path, which in ((self.old, "older"), (self.new, "newer")):
            keys = pl.scan_parquet(path).select(self.key)
            repeated = keys.group_by(self.key).len().filter(pl.col("len") > 1).select(pl.len())
            found: int = repeated.collect(engine="streaming").item()
            if found:
                raise SchemaError(
                    f"In the {which} version {found:,} keys ({', '.join(self.key)}) belong to more than one row; "
                    "rows cannot be matched.",
                    hint="Compare the versions by file instead.",
                )

    @staticmethod
    def _columns(path: Path) -> dict[str, pl.DataType]:
        return dict(pl.read_parquet_schema(path))


def combined(diffs: Sequence[RowDiff]) -> RowDiff:
    """Several partitions' differences as one."""
    columns: dict[str, int] = {}
    for diff in diffs:
        for name, rows in diff.columns.items():
            columns[name] = columns.get(name, 0) + rows
    firsts = [diff.first_date for diff in diffs if diff.first_date]
    lasts = [diff.last_date for diff in diffs if diff.last_date]
    return RowDiff(
        added=sum(diff.added for diff in diffs),
        removed=sum(diff.removed for diff in diffs),
        changed=sum(diff.changed for diff in diffs),
        columns=columns,
        columns_added=tuple(sorted({name for diff in diffs for name in diff.columns_added})),
        columns_removed=tuple(sorted({name for diff in diffs for name in diff.columns_removed})),
        first_date=min(firsts, default=None),
        last_date=max(lasts, default=None),
    )


def _added() -> pl.Expr:
    return pl.col(_OLD).is_null()


def _removed() -> pl.Expr:
    return pl.col(_NEW).is_null()


def _differs(name: str) -> pl.Expr:
    """Whether a column's value changed in a row that both states have."""
    both = pl.col(_OLD).is_not_null() & pl.col(_NEW).is_not_null()
    return both & pl.col(name).ne_missing(pl.col(name + _AFTER))


def _date(value: dt.date | dt.datetime | None) -> dt.date | None:
    return value.date() if isinstance(value, dt.datetime) else value
