"""Small tables for the tests, declared as the catalog declares its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from data_platform.catalog import Column, KenFrenchFile, KenFrenchSite, Partitioning, Table, WrdsQuery


def wrds_table(
    folder: Path,
    columns: dict[str, str],
    sql: str,
    *,
    relation: str = "lab.facts",
    required: tuple[str, ...] = (),
    key: tuple[str, ...] | None = None,
) -> Table:
    """A table in one piece whose query is `sql`; its date column is `day`, its key the first column unless given."""
    path = folder / "query.sql"
    path.write_text(sql, encoding="utf-8")
    return Table(
        name="lab_facts",
        dataset="crsp",
        title="Facts",
        description="A relation made for one test.",
        columns=tuple(Column(name, kind, name, "", nullable=name not in required) for name, kind in columns.items()),
        key=key or (next(iter(columns)),),
        date_column="day",
        partitioning=Partitioning.WHOLE,
        # An absolute path stands for itself, so a test's query needs no place in the project.
        origin=WrdsQuery(relation=relation, sql=str(path), date_column="day"),
        calendar="XNYS",
        first_date=dt.date(1900, 1, 1),
    )


def site_table(
    *files: KenFrenchFile, columns: tuple[str, ...], partitioning: Partitioning = Partitioning.WHOLE
) -> Table:
    """A table of floats by `date` from files of the data library."""
    return Table(
        name="lab_factors",
        dataset="fama_french",
        title="Factors",
        description="Files made for one test.",
        columns=(
            Column("date", "date", "date", "", nullable=False),
            *(Column(name, "float64", name, "") for name in columns),
        ),
        key=("date",),
        date_column="date",
        partitioning=partitioning,
        origin=KenFrenchSite(files=files),
        calendar="XNYS",
        first_date=dt.date(1900, 1, 1),
    )


def with_dtype(table: Table, name: str, dtype: str) -> Table:
    """The same table with one column declared as another type."""
    columns = (dataclasses.replace(c, dtype=dtype) if c.name == name else c for c in table.columns)
    return dataclasses.replace(table, columns=tuple(columns))
