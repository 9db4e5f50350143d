"""The synthetic library's files have the real one's form and come from the market beside them."""

from __future__ import annotations

import polars as pl
import pytest

from data_platform.catalog import KenFrenchPortfolios, KenFrenchSite, find_dataset
from data_platform.sources.demo.crsp.dsf_v2 import relation_frame
from data_platform.sources.demo.library import NOTICE, library_files
from data_platform.sources.demo.market import Market, simulate
from data_platform.sources.ken_french.parsing import decode, parse_tables
from data_platform.sources.ken_french.unpacking import unpack
from data_platform_tests.sources.library_files import FIVE, MOMENTUM, THREE


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate(5, 2022, 2023, 60)


@pytest.fixture(scope="module")
def texts(market: Market) -> dict[str, str]:
    return {name: decode(unpack(name, content, "test").data) for name, content in library_files(market).items()}


def test_they_are_the_files_that_the_catalog_asks_for(texts: dict[str, str]) -> None:
    wanted: set[str] = set()
    for table in find_dataset("fama_french").tables:
        if isinstance(table.origin, KenFrenchSite):
            wanted |= {file.name for file in table.origin.files}
        elif isinstance(table.origin, KenFrenchPortfolios):
            wanted.add(table.origin.file)

    assert set(texts) == wanted > {THREE, MOMENTUM, FIVE}
    assert len(wanted) == 12


def test_every_file_says_first_that_its_numbers_are_synthetic(texts: dict[str, str]) -> None:
    for text in texts.values():
        assert text.startswith(NOTICE)
        assert "SYNTHETIC" in text.splitlines()[0]
        assert text.count("\r\n") == text.count("\n")
        assert "Copyright" not in text


def test_the_same_market_gives_the_same_bytes(market: Market) -> None:
    assert library_files(market) == library_files(market)


def test_they_cover_the_stored_sessions_and_lack_a_few_momentum_figures(market: Market, texts: dict[str, str]) -> None:
    for name in (THREE, MOMENTUM, FIVE):
        (table,) = parse_tables(texts[name])
        assert table.keys == market.sessions[market.opening :]
        missing = sum(value is None for column in table.columns for value in column)
        assert (missing > 0) == (name == MOMENTUM)
        assert missing < 10


def test_the_market_factor_is_the_value_weighted_return_of_the_rows(market: Market, texts: dict[str, str]) -> None:
    (table,) = parse_tables(texts[THREE])
    rows = relation_frame(market).drop_nulls(["dlyret", "dlyprevcap"]).filter(pl.col("dlyretdurflg") == "D1")
    weighted = rows.group_by("dlycaldt").agg(
        ((pl.col("dlyret") * pl.col("dlyprevcap")).sum() / pl.col("dlyprevcap").sum() * 100).alias("total")
    )
    totals = dict(weighted.iter_rows())

    excess, riskfree = table.columns[0], table.columns[3]
    assert (
        max(
            abs(totals[day] - (factor or 0) - (rate or 0))
            for day, factor, rate in zip(table.keys, excess, riskfree, strict=True)
        )
        < 0.006
    )


def test_the_five_factor_file_repeats_three_series_and_has_a_size_factor_of_its_own(texts: dict[str, str]) -> None:
    (three,), (five,) = parse_tables(texts[THREE]), parse_tables(texts[FIVE])
    column = {name: three.columns[three.header.index(name)] for name in ("Mkt-RF", "HML", "RF", "SMB")}

    for name in ("Mkt-RF", "HML", "RF"):
        assert five.columns[five.header.index(name)] == column[name]
    assert five.columns[five.header.index("SMB")] != column["SMB"]
