"""The older format ends with 2024, whatever the market does after."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from data_platform.sources.demo.crsp import dsf_v2
from data_platform.sources.demo.market import Market, simulate
from data_platform.sources.demo.siz import delists, dsf, msf, names

END = dt.date(2024, 12, 31)


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate(6, 2024, 2025, 150)


def test_no_row_is_of_a_later_day(market: Market) -> None:
    days, months = pl.concat(dsf.relation_frames(market)), pl.concat(msf.relation_frames(market))
    history, left = names.relation_frame(market), delists.relation_frame(market)

    for column in (days["date"], months["date"], history["nameendt"], left["dlstdt"]):
        assert column.max() == END
    assert history["namedt"].max() <= END
    assert dsf_v2.relation_frame(market)["dlycaldt"].max() == dt.date(2025, 12, 31)
    assert days.height == dsf.rows(market)


def test_who_left_later_is_active_in_it(market: Market) -> None:
    left = delists.relation_frame(market)
    gone_later = market.leaving.who[market.universe.last[market.leaving.who] > len(market.sessions) - 200]
    permnos = market.universe.permno[gone_later].tolist()

    assert permnos
    assert set(left.filter(pl.col("permno").is_in(permnos))["dlstcd"]) == {100}
    assert left["permno"].n_unique() == left.height < 150


def test_factors_know_no_later_split(market: Market) -> None:
    days = pl.concat(dsf.relation_frames(market))
    later = dsf_v2.relation_frame(market).filter((pl.col("dlyfacprc") > 1) & (pl.col("dlycaldt") > END))

    assert later.height > 0
    last = days.filter(pl.col("date") == END)
    assert set(last["cfacpr"]) == set(last["cfacshr"]) == {1.0}


def test_a_market_after_its_end_has_no_rows_in_it() -> None:
    market = simulate(6, 2025, 2025, 20)

    assert pl.concat(dsf.relation_frames(market)).height == pl.concat(msf.relation_frames(market)).height == 0
    assert delists.relation_frame(market)["dlstdt"].max() == END
    assert names.relation_frame(market)["nameendt"].max() == END
