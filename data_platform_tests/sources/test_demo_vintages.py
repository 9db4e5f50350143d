"""The second vintage is the first with a few rows restated or arrived, which are listed, and nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from data_platform.errors import UsageError
from data_platform.sources.demo.changes import Change, vintage_changes
from data_platform.sources.demo.relations import RELATIONS, Relation
from data_platform.sources.demo.vintages import check_vintage
from data_platform.sources.demo.world import World, world_of

DATES = {"crsp.dsf_v2": "dlycaldt", "comp.funda": "datadate", "comp.fundq": "datadate", "comp.co_filedate": "datadate"}
YEARS = (2021, 2023)


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    return world_of(3, YEARS, 60), world_of(3, YEARS, 60, vintage=2)


def _frames(relation: Relation, worlds: tuple[World, World]) -> tuple[pl.DataFrame, pl.DataFrame]:
    first, second = (pl.concat(relation.frames(world)) for world in worlds)
    return first, second


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.full_name)
def test_so_many_rows_differ_as_are_listed(worlds: tuple[World, World], relation: Relation) -> None:
    first, second = _frames(relation, worlds)
    listed = [change for change in vintage_changes(worlds[0].market) if change.relation == relation.full_name]
    if not listed:
        assert first.equals(second)
        return

    new = second.join(first, on=first.columns, how="anti", nulls_equal=True)
    found = new.group_by(pl.col(DATES[relation.full_name]).dt.year().cast(pl.Int64).alias("year")).len()
    assert [Change(relation.full_name, year, rows) for year, rows in found.sort("year").iter_rows()] == listed
    gone = first.join(second, on=first.columns, how="anti", nulls_equal=True)
    assert set(gone[DATES[relation.full_name]].dt.year()) <= {YEARS[0]}


def test_something_is_restated_and_something_arrives(worlds: tuple[World, World]) -> None:
    changes = vintage_changes(worlds[0].market)

    assert {(change.relation, change.year) for change in changes} == {
        ("crsp.dsf_v2", 2021),
        ("comp.funda", 2021),
        ("comp.funda", 2023),
        ("comp.fundq", 2021),
        ("comp.fundq", 2023),
        ("comp.co_filedate", 2023),
    }
    assert sum(change.rows for change in changes) < 40


def test_a_restated_year_still_adds_up(worlds: tuple[World, World]) -> None:
    first, second = worlds
    for world in (first, second):
        items = world.statements.items
        assert abs(items["oibdp"] - (items["sale"] - items["cogs"] - items["xsga"])).max() < 1e-6
    assert (first.statements.items["sale"] != second.statements.items["sale"]).sum() == 3


@pytest.mark.parametrize("vintage", [0, 3])
def test_there_are_two_vintages(vintage: int) -> None:
    with pytest.raises(UsageError, match="vintage"):
        check_vintage(vintage)
