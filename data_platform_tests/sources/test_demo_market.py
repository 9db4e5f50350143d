"""The synthetic market keeps the rules that real CRSP data keeps."""

from __future__ import annotations

import datetime as dt

import exchange_calendars
import polars as pl
import pytest

from data_platform.catalog import find_table
from data_platform.sources.demo.crsp.dsf_v2 import COLUMN_TYPES, relation_frame, relation_frames
from data_platform.sources.demo.market import simulate
from data_platform.sources.wrds.query import query_text

SEED, YEARS, SECURITIES = 11, (2021, 2023), 60
PAID = pl.col("dlyorddivamt") + pl.col("dlynonorddivamt")


def _frame(seed: int = SEED, years: tuple[int, int] = YEARS, securities: int = SECURITIES) -> pl.DataFrame:
    return relation_frame(simulate(seed, *years, securities))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return _frame()


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(rows: pl.DataFrame) -> None:
    assert _frame().equals(rows)
    assert not _frame(seed=SEED + 1).equals(rows)


def test_it_has_the_columns_that_wrds_has(rows: pl.DataFrame) -> None:
    assert rows.columns == list(COLUMN_TYPES)
    for column in find_table("crsp_daily").columns:
        assert column.source in COLUMN_TYPES
    assert len(COLUMN_TYPES) > len(find_table("crsp_daily").columns)
    assert "FROM crsp.dsf_v2" in query_text(find_table("crsp_daily"))


def test_every_session_has_rows_and_no_holiday_has(rows: pl.DataFrame) -> None:
    calendar = exchange_calendars.get_calendar("XNYS", start="2021-01-01", end="2023-12-31")
    expected = {session.date() for session in calendar.sessions}

    assert set(rows["dlycaldt"].to_list()) == expected
    assert dt.date(2021, 7, 5) not in expected
    assert rows.select("permno", "dlycaldt").equals(
        rows.select("permno", "dlycaldt").unique().sort("permno", "dlycaldt")
    )


def test_securities_are_listed_and_delisted_on_the_way(rows: pl.DataFrame) -> None:
    lives = rows.group_by("permno").agg(pl.col("dlycaldt").min().alias("first"), pl.col("dlycaldt").max().alias("last"))
    leaving = rows.filter(dlydelflg="Y").select("permno", last="dlycaldt").sort("permno")

    assert lives.height == SECURITIES
    assert lives.filter(pl.col("first") > dt.date(2021, 1, 4)).height > SECURITIES // 10
    assert leaving.height > SECURITIES // 10
    assert lives.filter(pl.col("last") < dt.date(2023, 12, 29)).select("permno", "last").sort("permno").equals(leaving)
    assert (
        rows.join(leaving, left_on=["permno", "dlycaldt"], right_on=["permno", "last"], how="semi")["dlyret"].min()
        < -0.1
    )


@pytest.mark.parametrize(
    "violation",
    [
        (pl.col("dlyprc") <= 0),
        (pl.col("dlylow") > pl.col("dlyprc")) | (pl.col("dlyprc") > pl.col("dlyhigh")),
        (pl.col("dlyclose").is_not_null() & (pl.col("dlyclose") != pl.col("dlyprc"))),
        (pl.col("dlyopen") < pl.col("dlylow")) | (pl.col("dlyopen") > pl.col("dlyhigh")),
        (pl.col("dlybid") >= pl.col("dlyask")),
        ((pl.col("dlycap") - pl.col("dlyprc") * pl.col("shrout")).abs() > 0.011),
        ((pl.col("dlyprc") * pl.col("dlyfacprc") / pl.col("dlyprevprc") - 1 - pl.col("dlyretx")).abs() > 6e-7),
        ((pl.col("dlyret") - pl.col("dlyretx") - PAID / pl.col("dlyprevprc")).abs() > 1.1e-6),
        ((pl.col("dlyprcflg") == "MP") != pl.col("dlyprc").is_null()),
        ((pl.col("dlyprcflg") == "BA") & ((pl.col("dlyvol") != 0) | pl.col("dlyclose").is_not_null())),
        (
            (pl.col("dlyprcflg") == "BA")
            & ((pl.col("dlylow") != pl.col("dlybid")) | (pl.col("dlyhigh") != pl.col("dlyask")))
        ),
        ((pl.col("dlyprcflg") == "TR") & (pl.col("dlyvol") <= 0)),
        (pl.col("dlyret").is_null() != pl.col("dlyretmissflg").is_not_null()),
        ((pl.col("primaryexch") == "Q") != pl.col("nasdissuno").is_not_null()),
    ],
    ids=[
        "price positive",
        "price within the day's range",
        "close is the price",
        "open within the day's range",
        "bid below ask",
        "cap is price times shares",
        "retx follows from prices",
        "ret is retx and dividend",
        "flag says no price",
        "no trade, no volume",
        "no trade, range is the quotes",
        "trade, volume",
        "missing return has a reason",
        "NASDAQ number on NASDAQ",
    ],
)
def test_no_row_breaks_a_rule(rows: pl.DataFrame, violation: pl.Expr) -> None:
    assert rows.filter(violation).height == 0


@pytest.mark.parametrize(
    "occurrence",
    [
        pl.col("dlyprcflg") == "MP",
        pl.col("dlyprcflg") == "BA",
        pl.col("dlyretmissflg") == "NS",
        pl.col("dlyorddivamt") > 0,
        pl.col("dlyfacprc") > 1,
        pl.col("dlycumfacpr") > 1,
        pl.col("dlyretdurflg") == "D2",
    ],
    ids=["no price", "bid/ask", "new", "dividend", "split", "before a split", "return over a gap"],
)
def test_every_special_case_occurs_and_stays_rare(rows: pl.DataFrame, occurrence: pl.Expr) -> None:
    share = rows.filter(occurrence).height / rows.height

    assert 0 < share < 0.15


def test_adjusted_prices_run_smoothly_through_splits(rows: pl.DataFrame) -> None:
    adjusted = rows.with_columns((pl.col("dlyprc") / pl.col("dlycumfacpr")).alias("adjusted"))
    moves = adjusted.with_columns((pl.col("adjusted") / pl.col("adjusted").shift(1).over("permno") - 1).alias("move"))
    on_split = moves.filter(pl.col("dlyfacprc") > 1)

    assert on_split.height > 0
    assert (on_split["move"] - on_split["dlyretx"]).abs().max() < 1e-6
    assert rows.filter(pl.col("dlycumfacpr") != pl.col("dlycumfacshr")).height == 0


def test_identities_are_nobodys(rows: pl.DataFrame) -> None:
    assert rows["permno"].min() > 97000
    assert rows["cusip"].str.contains(r"^99[0-9A-Z]{4}[12][01]$").all()
    assert rows["ticker"].drop_nulls().str.contains(r"^X[A-W]{3}$").all()


def test_no_two_securities_have_a_ticker_at_the_same_time(rows: pl.DataFrame) -> None:
    tickers = rows.drop_nulls("ticker").group_by("ticker", "dlycaldt").len()

    assert tickers["len"].max() == 1
    assert rows["ticker"].n_unique() > SECURITIES


def test_a_delisting_day_has_a_return_and_no_trade(rows: pl.DataFrame) -> None:
    last = rows.filter(dlydelflg="Y")

    assert set(last["tradingstatusflg"]) == {"D"}
    assert last["ticker"].null_count() == last["dlyclose"].null_count() == last["dlyvol"].null_count() == last.height
    assert set(last["dlyprcflg"]) == {"DA", "MP"}
    assert last.filter((pl.col("dlyretmissflg") == "DM") != pl.col("dlyret").is_null()).height == 0
    assert rows.filter(tradingstatusflg="D").height == last.height


@pytest.mark.parametrize("securities", [20, 21, 24, 26])
def test_a_market_cut_off_within_a_pair_is_whole(securities: int) -> None:
    frame = relation_frame(simulate(SEED, 2024, 2024, securities))

    assert frame["permno"].n_unique() == securities


def test_a_security_moves_and_trades_the_same_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    market = simulate(SEED, 2024, 2024, 30)
    whole = relation_frame(market)
    monkeypatch.setattr("data_platform.sources.demo.market.trading._CELLS", 7 * len(market.stored))

    assert len(list(relation_frames(market))) == 5
    assert relation_frame(market).equals(whole)
