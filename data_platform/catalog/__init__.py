"""What exists: datasets (licence families) and their tables. Declarations only; nothing here does I/O.

A table's declaration is the single source of truth for its columns, types, units, key, partitioning and where its
rows come from. Everything else (extraction, schema checks, Dagster assets, the governed schema) is derived from it.
One module or folder per dataset. How tables are synced, stored or checked does not belong here.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from data_platform.catalog.compustat import COMPUSTAT
from data_platform.catalog.crsp import CRSP
from data_platform.catalog.fama_french import FAMA_FRENCH
from data_platform.catalog.model import (
    Column,
    Dataset,
    KenFrenchFile,
    KenFrenchPortfolios,
    KenFrenchSite,
    Partitioning,
    Table,
    WrdsQuery,
)
from data_platform.catalog.series import Series
from data_platform.errors import NotFoundError

__all__ = [
    "DATASETS",
    "TABLES",
    "Column",
    "Dataset",
    "KenFrenchFile",
    "KenFrenchPortfolios",
    "KenFrenchSite",
    "Partitioning",
    "Series",
    "Table",
    "WrdsQuery",
    "find_dataset",
    "find_table",
]

DATASETS: Final[dict[str, Dataset]] = {dataset.name: dataset for dataset in (CRSP, COMPUSTAT, FAMA_FRENCH)}
TABLES: Final[dict[str, Table]] = {table.name: table for dataset in DATASETS.values() for table in dataset.tables}


def find_dataset(name: str) -> Dataset:
    """Look a dataset up by name.

    Raises:
        NotFoundError: for an unknown name, listing the known ones.
    """
    if name in TABLES:
        raise NotFoundError(f"Unknown dataset {name!r}.", hint=f"{name} is a table of {TABLES[name].dataset}.")
    if name not in DATASETS:
        raise NotFoundError(f"Unknown dataset {name!r}.", hint=_suggest(name, list(DATASETS)))
    return DATASETS[name]


def find_table(name: str) -> Table:
    """Look a table up by name.

    Raises:
        NotFoundError: for an unknown name, listing the known ones.
    """
    if name in DATASETS:
        tables = ", ".join(table.name for table in DATASETS[name].tables)
        raise NotFoundError(f"Unknown table {name!r}.", hint=f"{name} is a dataset; its tables: {tables}.")
    if name not in TABLES:
        raise NotFoundError(f"Unknown table {name!r}.", hint=_suggest(name, list(TABLES)))
    return TABLES[name]


def _suggest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return (f"Did you mean {close[0]}? " if close else "") + f"Known: {', '.join(sorted(known))}."
