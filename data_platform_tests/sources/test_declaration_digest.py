"""What a table's declaration adds to its fingerprints: whatever decides how the source's data is stored."""

from __future__ import annotations

import dataclasses

import pytest

from data_platform.catalog import KenFrenchFile, KenFrenchPortfolios, KenFrenchSite, Table, WrdsQuery, find_table
from data_platform.sources import base
from data_platform.sources.base import declaration_digest

CRSP = find_table("crsp_daily")
FACTORS = find_table("ff_factors_daily")
INDUSTRIES = find_table("ff_industries_10_monthly")


def _first_column(table: Table, **changes: object) -> Table:
    first, *others = table.columns
    return dataclasses.replace(table, columns=(dataclasses.replace(first, **changes), *others))


def _first_file(**changes: object) -> Table:
    assert isinstance(FACTORS.origin, KenFrenchSite)
    first, *others = FACTORS.origin.files
    return dataclasses.replace(FACTORS, origin=KenFrenchSite((dataclasses.replace(first, **changes), *others)))


def _other_relation() -> Table:
    assert isinstance(CRSP.origin, WrdsQuery)
    return dataclasses.replace(CRSP, origin=dataclasses.replace(CRSP.origin, relation="crsp.dsf_v3"))


def _files_in_another_order() -> Table:
    assert isinstance(FACTORS.origin, KenFrenchSite)
    return dataclasses.replace(FACTORS, origin=KenFrenchSite(FACTORS.origin.files[::-1]))


def _industries(**changes: object) -> Table:
    assert isinstance(INDUSTRIES.origin, KenFrenchPortfolios)
    return dataclasses.replace(INDUSTRIES, origin=dataclasses.replace(INDUSTRIES.origin, **changes))


def _monthly(table: Table) -> Table:
    assert isinstance(table.origin, KenFrenchSite)
    return dataclasses.replace(table, origin=dataclasses.replace(table.origin, frequency="monthly"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *((table, _first_column(table, dtype="str")) for table in (CRSP, FACTORS)),
        *((table, _first_column(table, name="other")) for table in (CRSP, FACTORS)),
        *((table, _first_column(table, source="other")) for table in (CRSP, FACTORS)),
        *((table, _first_column(table, nullable=True)) for table in (CRSP, FACTORS)),
        *((table, dataclasses.replace(table, columns=table.columns[::-1])) for table in (CRSP, FACTORS)),
        *((table, dataclasses.replace(table, columns=table.columns[:-1])) for table in (CRSP, FACTORS)),
        (CRSP, dataclasses.replace(CRSP, key=CRSP.key[::-1])),
        (CRSP, _other_relation()),
        (FACTORS, _first_file(name="other.zip")),
        (FACTORS, _first_file(columns={"SMB": "mktrf", "Mkt-RF": "smb", "HML": "hml", "RF": "rf"})),
        (FACTORS, _first_file(repeats={"Mkt-RF": "mktrf"})),
        (FACTORS, _files_in_another_order()),
        (FACTORS, _monthly(FACTORS)),
        (INDUSTRIES, _industries(file="other.zip")),
        (INDUSTRIES, _industries(count=12)),
        (INDUSTRIES, _industries(frequency="daily")),
    ],
)
def test_what_decides_how_data_is_stored_counts(before: Table, after: Table) -> None:
    assert declaration_digest(after) != declaration_digest(before)


@pytest.mark.parametrize(
    "after",
    [
        dataclasses.replace(FACTORS, title="Other", description="Other."),
        _first_column(FACTORS, description="Other.", unit="other", max_null_share=0.5),
        _first_file(columns={"RF": "rf", "HML": "hml", "SMB": "smb", "Mkt-RF": "mktrf"}),
    ],
    ids=["words", "a column's words and limit", "order within a mapping"],
)
def test_what_does_not_does_not(after: Table) -> None:
    assert declaration_digest(after) == declaration_digest(FACTORS)


@pytest.mark.parametrize(
    ("table", "digest"),
    [
        (CRSP, "0c36e7ddd7e76785be32293e1ed3de8e9fc4a21be16666437565a51a77e82de1"),
        (FACTORS, "cdf60bf4b3481384055746e79e3d0aa493c9f55e5279e212d44f66d34d6ee909"),
    ],
)
def test_what_was_published_by_earlier_releases_is_not_extracted_again(table: Table, digest: str) -> None:
    """A change here makes every user fetch the table anew: raise it on purpose or not at all."""
    assert declaration_digest(table) == digest


@pytest.mark.parametrize("table", [CRSP, FACTORS], ids=["wrds", "ken_french"])
def test_another_way_of_storing_counts(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    before = declaration_digest(table)
    monkeypatch.setattr(base, "STORED_AS", base.STORED_AS + 1)

    assert declaration_digest(table) != before


def test_columns_and_repeats_are_told_apart() -> None:
    filled, repeated = (KenFrenchFile("a.zip", {"A": "a"}), KenFrenchFile("a.zip", {}, {"A": "a"}))
    tables = [dataclasses.replace(FACTORS, origin=KenFrenchSite((file,))) for file in (filled, repeated)]

    assert len({declaration_digest(table) for table in tables}) == 2
