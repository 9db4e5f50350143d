"""The synthetic WRDS keeps every rule, its traps included, without a finding: delistings, midpoints, splits, links."""

from __future__ import annotations

import polars as pl
import pytest

from data_platform.catalog import TABLES, Table, WrdsQuery
from data_platform.quality import Judgement
from data_platform.sources.demo.relations import relation_named
from data_platform.sources.demo.world import World, world_of
from data_platform_tests.quality.contracts.judged import judged

_MADE_UP = ("dlstcd", "comp.fundq: rdq", "comp.co_filedate: filedate")
"""Sources of columns that the queries compute or join; here they are missing."""


def _plain(table: Table) -> bool:
    """Whether the published columns are those of one relation, under other names."""
    if not isinstance(table.origin, WrdsQuery):
        return False
    known = relation_named(table.origin.relation).columns
    return all(column.source in known or column.source in _MADE_UP for column in table.columns)


PLAIN = [table for table in TABLES.values() if _plain(table)]


@pytest.fixture(scope="module")
def world() -> World:
    """Other seeds and more securities than the demo that tests load."""
    return world_of(7, (2019, 2022), 150)


def _rows(table: Table, world: World) -> pl.DataFrame:
    assert isinstance(table.origin, WrdsQuery)
    raw = pl.concat(relation_named(table.origin.relation).frames(world))
    if "datafmt" in raw.columns:
        raw = raw.filter(pl.col("indfmt") == "INDL", pl.col("datafmt") == "STD")
    schema = pl.DataFrame(table.arrow_schema.empty_table()).schema
    raw = raw.with_columns(pl.lit(None).alias(name) for name in _MADE_UP)
    columns = (pl.col(column.source).cast(schema[column.name]).alias(column.name) for column in table.columns)
    return raw.select(columns).sort(table.key, nulls_last=True)


@pytest.mark.parametrize("table", PLAIN, ids=lambda table: table.name)
def test_no_rule_finds_anything(table: Table, world: World) -> None:
    names = _rows(TABLES["crsp_names"], world).lazy()
    rows = _rows(table, world)

    assert rows.height > 0
    assert judged(table, rows, {"crsp_names": names}, row_group=131_072) == Judgement(())


def test_all_of_crsp_and_compustat_is_looked_at_but_for_the_dictionary() -> None:
    wrds = {table.name for table in TABLES.values() if isinstance(table.origin, WrdsQuery)}

    assert {table.name for table in PLAIN} == wrds - {"crsp_exchange_codes"}
