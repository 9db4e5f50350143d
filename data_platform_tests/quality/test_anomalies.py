"""Single faults and what looks like one, in small series made by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from data_platform.catalog import find_table
from data_platform.quality import trading_calendar
from data_platform.quality.anomalies import Anomaly, History, Severity, Statistics, detect, statistics_of

CRSP = find_table("crsp_daily")
TODAY = dt.date(2026, 6, 1)
DAYS = trading_calendar("XNYS").trading_days_between(dt.date(2023, 1, 1), dt.date(2023, 12, 31))
STEPS = (0.31, -0.27, 0.12, -0.4, 0.53, -0.15, 0.08, -0.22)


def _security(permno: int, start: float = 20.0) -> pl.DataFrame:
    """A year of a security whose prices wander by some cents, with everything that goes with them."""
    moves = [STEPS[(at * (permno % 7 + 2) + at // 8) % len(STEPS)] for at in range(len(DAYS))]
    prices = [round(start + sum(moves[: at + 1]) / (1 + at % 3), 2) for at in range(len(DAYS))]
    frame = pl.DataFrame({"permno": permno, "date": DAYS, "prc": prices})
    return _derived(
        frame.with_columns(
            pl.lit(0.0).alias("dlyorddivamt"),
            pl.lit(0.0).alias("dlynonorddivamt"),
            pl.lit(1.0).alias("dlyfacprc"),
            pl.lit(1.0).alias("cfacpr"),
            (5_000 + pl.int_range(pl.len()) * 17 + permno).cast(pl.Float64).alias("vol"),
            pl.lit(1_000).alias("shrout"),
            pl.lit("N").alias("dlydelflg"),
        )
    )


def _derived(frame: pl.DataFrame) -> pl.DataFrame:
    """Returns, quotes, range and capitalisation from price, factor and dividends."""
    price = pl.col("prc")
    return frame.with_columns(price.shift().alias("dlyprevprc")).with_columns(
        (price * pl.col("dlyfacprc") / pl.col("dlyprevprc") - 1).round(6).alias("retx"),
        ((price * pl.col("dlyfacprc") + pl.col("dlyorddivamt")) / pl.col("dlyprevprc") - 1).round(6).alias("ret"),
        (price - 0.05).alias("openprc"),
        price.alias("dlyclose"),
        (price - 0.1).alias("bidlo"),
        (price + 0.1).alias("askhi"),
        (price - 0.01).alias("bid"),
        (price + 0.01).alias("ask"),
        (price * pl.col("shrout")).alias("dlycap"),
    )


def _market(securities: int = 12) -> pl.DataFrame:
    return pl.concat([_security(10_001 + number, 15.0 + number) for number in range(securities)])


def _staged(frame: pl.DataFrame, folder: Path) -> Path:
    full = pl.DataFrame(CRSP.arrow_schema.empty_table())
    path = folder / "staged.parquet"
    pl.concat([full, frame.cast({name: full.schema[name] for name in frame.columns})], how="diagonal").write_parquet(
        path
    )
    return path


def _found(frame: pl.DataFrame, folder: Path, history: History | None = None) -> tuple[Anomaly, ...]:
    path = _staged(frame, folder)
    return detect(CRSP, "2023", path, statistics_of(CRSP, path), history or History(), today=TODAY)


def _statistics(frame: pl.DataFrame, folder: Path) -> Statistics:
    return statistics_of(CRSP, _staged(frame, folder))


def _from(day: int, permno: int = 10_003) -> pl.Expr:
    return (pl.col("permno") == permno) & (pl.col("date") >= DAYS[day])


def test_a_clean_year_raises_nothing(tmp_path: Path) -> None:
    assert _found(_market(), tmp_path, History((_statistics(_market(), tmp_path),))) == ()


def test_a_split_with_its_factor_raises_nothing_and_without_it_does(tmp_path: Path) -> None:
    split = _market().with_columns(
        pl.when(_from(100)).then((pl.col("prc") / 2).round(4)).otherwise("prc").alias("prc"),
        pl.when(_from(100)).then(2 * pl.col("shrout")).otherwise("shrout").alias("shrout"),
    )
    factor = pl.when((pl.col("permno") == 10_003) & (pl.col("date") == DAYS[100])).then(2.0).otherwise(1.0)
    right = pl.concat([_derived(own) for own in split.with_columns(factor.alias("dlyfacprc")).partition_by("permno")])
    assert _found(right, tmp_path) == ()
    wrong = pl.concat([_derived(own) for own in split.partition_by("permno")])
    (anomaly,) = _found(wrong, tmp_path)
    assert (anomaly.metric, anomaly.keys) == ("unadjusted_split", (f"permno 10003, date {DAYS[100]}",))


def test_a_cumulative_factor_alone_explains_a_split(tmp_path: Path) -> None:
    split = _market().with_columns(
        pl.when(_from(100)).then((pl.col("prc") / 2).round(4)).otherwise("prc").alias("prc"),
        pl.when((pl.col("permno") == 10_003) & ~_from(100)).then(2.0).otherwise(1.0).alias("cfacpr"),
    )
    day = pl.when((pl.col("permno") == 10_003) & (pl.col("date") == DAYS[100])).then(2.0).otherwise(1.0)
    right = pl.concat([_derived(own) for own in split.with_columns(day.alias("dlyfacprc")).partition_by("permno")])
    assert _found(right.with_columns(pl.lit(None).alias("dlyfacprc"), pl.lit(None).alias("dlyprevprc")), tmp_path) == ()


def test_a_real_jump_with_everything_that_goes_with_it_raises_nothing(tmp_path: Path) -> None:
    jumped = _market().with_columns(pl.when(_from(100)).then(pl.col("prc") * 0.7).otherwise("prc").alias("prc"))
    assert _found(pl.concat([_derived(own) for own in jumped.partition_by("permno")]), tmp_path) == ()


def test_a_price_level_that_returns_do_not_explain_is_a_level_shift(tmp_path: Path) -> None:
    shifted = _market().with_columns(pl.when(_from(100)).then(pl.col("prc") * 1.12).otherwise("prc").alias("prc"))
    assert "level_shift" in {each.metric for each in _found(shifted, tmp_path)}


def test_the_row_of_a_delisting_follows_rules_of_its_own(tmp_path: Path) -> None:
    last = (pl.col("permno") == 10_003) & (pl.col("date") == DAYS[-1])
    paid = _market().with_columns(
        pl.when(last).then(3.0).otherwise("prc").alias("prc"),
        pl.when(last).then(pl.lit("Y")).otherwise("dlydelflg").alias("dlydelflg"),
    )
    assert _found(paid, tmp_path) == ()


def test_rows_after_a_gap_are_judged_by_the_previous_price_that_they_name(tmp_path: Path) -> None:
    steep = _market().with_columns(
        (pl.col("prc") * (1 + 0.002 * pl.int_range(pl.len()).over("permno"))).round(2).alias("prc")
    )
    right = pl.concat([_derived(own) for own in steep.partition_by("permno")])
    missing = (pl.col("permno") == 10_003) & pl.col("date").is_between(DAYS[50], DAYS[100])
    assert {each.metric for each in _found(right.filter(~missing), tmp_path)} <= {"truncated_universe", "date_gap"}


def test_a_price_of_few_cents_may_stand_still_and_one_of_twenty_dollars_may_not(tmp_path: Path) -> None:
    def still(permno: int, price: float) -> pl.DataFrame:
        own = _security(permno)
        if price < 1:
            # A cent up or down now and then is all that ever happens.
            prices = [price + 0.01 * (at % 40 == 0) for at in range(len(DAYS))]
            return _derived(own.with_columns(pl.Series("prc", prices)))
        run = pl.col("date").is_between(DAYS[100], DAYS[114])
        return _derived(own.with_columns(pl.when(run).then(price).otherwise("prc").alias("prc")))

    market = _market()
    assert _found(pl.concat([market, still(20_001, 0.10)]), tmp_path) == ()
    (anomaly,) = _found(pl.concat([market, still(20_001, 20.0)]), tmp_path)
    assert (anomaly.metric, anomaly.severity) == ("stale_price", Severity.WARNING)
    assert anomaly.keys == (f"permno 20001, date {DAYS[101]}",)


def test_single_crossed_quotes_are_the_markets_and_a_month_of_them_is_not(tmp_path: Path) -> None:
    def crossed(days: list[int]) -> tuple[Anomaly, ...]:
        here = (pl.col("permno") == 10_003) & pl.col("date").is_in([DAYS[day] for day in days])
        bid, ask = pl.col("bid"), pl.col("ask")
        frame = _market().with_columns(
            pl.when(here).then(ask).otherwise(bid).alias("bid"), pl.when(here).then(bid).otherwise(ask).alias("ask")
        )
        return _found(frame, tmp_path)

    assert crossed([10, 60, 110, 160, 210, 240]) == ()
    assert [each.metric for each in crossed(list(range(100, 120)))] == ["swapped_columns"]


@pytest.mark.parametrize(("doubled", "alarm"), [(False, []), (True, ["doubled_dividend"])])
def test_a_dividend_must_be_the_one_in_the_returns(doubled: bool, alarm: list[str], tmp_path: Path) -> None:
    day = (pl.col("permno") == 10_003) & (pl.col("date") == DAYS[100])
    paying = _market().with_columns(pl.when(day).then(0.25).otherwise(0.0).alias("dlyorddivamt"))
    frame = pl.concat([_derived(own) for own in paying.partition_by("permno")])
    if doubled:
        frame = frame.with_columns(pl.col("dlyorddivamt") * 2)
    assert [each.metric for each in _found(frame, tmp_path)] == alarm


def test_a_universe_that_ends_early_is_truncated(tmp_path: Path) -> None:
    cut = (pl.col("permno") > 10_007) & (pl.col("date") > DAYS[-11])
    assert {each.metric for each in _found(_market().filter(~cut), tmp_path)} == {"truncated_universe"}


def test_more_than_a_tenth_fewer_rows_are_a_drop_and_a_tenth_is_not(tmp_path: Path) -> None:
    market = _market(20)
    history = History((_statistics(market, tmp_path),))
    tenth = _found(market.filter(pl.col("permno") <= 10_018), tmp_path, history)
    more = _found(market.filter(pl.col("permno") <= 10_017), tmp_path, history)
    assert "row_drop" not in {each.metric for each in tenth}
    drop = next(each for each in more if each.metric == "row_drop")
    assert (drop.severity, drop.current_value, drop.expected_value) == (Severity.ERROR, 4250.0, 5000.0)
    assert drop.deviation_pct == -15.0


def test_missing_values_five_points_above_the_last_version_are_a_spike(tmp_path: Path) -> None:
    market = _market(20)
    history = History((_statistics(market, tmp_path),))

    def spiked(share: float) -> set[str]:
        place = pl.int_range(pl.len()) < share * pl.len()
        frame = market.with_columns(pl.when(place).then(None).otherwise("bid").alias("bid"))
        return {each.metric for each in _found(frame, tmp_path, history)}

    assert spiked(0.05) == set()
    assert spiked(0.051) == {"null_spike"}


def test_another_unit_than_in_three_neighbouring_years_is_a_level_shift(tmp_path: Path) -> None:
    past = _statistics(_market(), tmp_path)
    percent = _market().with_columns(pl.col("vol") * 100)
    assert _found(percent, tmp_path, History((), (past, past))) == ()
    (anomaly,) = _found(percent, tmp_path, History((), (past, past, past)))
    assert (anomaly.metric, anomaly.expected_value) == ("level_shift", 1.0)
    assert anomaly.current_value == pytest.approx(100, rel=1e-6)


def test_a_column_that_is_nearly_always_zero_has_no_typical_size(tmp_path: Path) -> None:
    def paid(amount: float, rows: int) -> pl.DataFrame:
        place = pl.int_range(pl.len()) < rows
        return _market().with_columns(pl.when(place).then(amount).otherwise(0.0).alias("dlynonorddivamt"))

    few, many = (_statistics(paid(0.02, rows), tmp_path).columns["dlynonorddivamt"] for rows in (99, 100))
    assert few.log_median is None
    assert many.log_median == pytest.approx(-3.912, abs=0.001)


def test_messages_and_keys_hold_no_price(tmp_path: Path) -> None:
    marked = _market().with_columns(pl.when(_from(100)).then(777.125).otherwise("prc").alias("prc"))
    said = " ".join(f"{each.message} {each.keys} {each.current_value}" for each in _found(marked, tmp_path))
    assert "level_shift" in {each.metric for each in _found(marked, tmp_path)}
    assert "777" not in said


def test_a_table_without_a_series_is_judged_by_statistics_alone(tmp_path: Path) -> None:
    shifted = _market().with_columns(pl.when(_from(100)).then(pl.col("prc") * 2).otherwise("prc").alias("prc"))
    path = _staged(shifted, tmp_path)
    table = replace(CRSP, series=None)
    assert detect(table, "2023", path, statistics_of(table, path), today=TODAY) == ()
