"""Every table from WRDS, in either format of CRSP's: published as declared, with every check passed."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import psycopg
import pytest

from data_platform.catalog import TABLES, Partitioning, Table, WrdsQuery, find_table
from data_platform.quality import Status
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, partitions_of, sync_partitions

WRDS_TABLES = [table for table in TABLES.values() if isinstance(table.origin, WrdsQuery)]
LEGACY_TABLES = [table for table in WRDS_TABLES if table.in_siz is not table]
TODAY = dt.date(2026, 6, 1)
SPECIAL_CODES = {"-44", "-55", "-66", "-77", "-88", "-99"}


def _in(context: SyncContext, crsp_format: str) -> SyncContext:
    return dataclasses.replace(context, settings=context.settings.model_copy(update={"crsp_format": crsp_format}))


def _synced(context: SyncContext, table: Table) -> list[SyncOutcome]:
    results = list(sync_partitions(context, table, partitions_of(table, context.settings, TODAY)))
    assert [type(result) for result in results] == [SyncOutcome] * len(results), results
    return [result for result in results if isinstance(result, SyncOutcome)]


def _rows(context: SyncContext, name: str) -> pl.DataFrame:
    return context.warehouse.reader(name).pin().scan().collect()


@pytest.mark.parametrize("table", WRDS_TABLES, ids=[table.name for table in WRDS_TABLES])
def test_a_table_is_published_with_every_check_passed_and_then_is_up_to_date(
    context: SyncContext, table: Table
) -> None:
    outcomes = _synced(context, table)

    assert {check.status for outcome in outcomes for check in outcome.results} == {Status.PASSED}
    assert {outcome.file.source for outcome in outcomes} == {"demo"}
    assert len(outcomes) == (2 if table.partitioning is Partitioning.YEAR else 1)
    rows = _rows(context, table.name)
    assert rows.schema == pl.DataFrame(table.arrow_schema.empty_table()).schema
    assert rows.select(table.key).n_unique() == rows.height > 0
    assert {outcome.status for outcome in _synced(context, table)} == {SyncStatus.UP_TO_DATE}


@pytest.mark.parametrize("table", LEGACY_TABLES, ids=[table.name for table in LEGACY_TABLES])
def test_the_older_format_gives_the_same_columns_under_a_name_of_its_own(context: SyncContext, table: Table) -> None:
    outcomes = _synced(_in(context, "siz"), table)

    assert {outcome.file.source for outcome in outcomes} == {"demo_siz"}
    assert {check.status for outcome in outcomes for check in outcome.results} == {Status.PASSED}
    assert _rows(context, table.name).schema == pl.DataFrame(table.arrow_schema.empty_table()).schema
    # The other format is another state of the source, whatever its rows say.
    assert {outcome.status for outcome in _synced(context, table)} == {SyncStatus.PUBLISHED}
    assert {entry.source for entry in context.warehouse.reader(table.name).pin().manifest.files} == {"demo"}


def test_older_prices_say_what_newer_ones_say(context: SyncContext, wrds_owner: psycopg.Connection) -> None:
    _synced(context, find_table("crsp_daily"))
    new = _rows(context, "crsp_daily")
    _synced(_in(context, "siz"), find_table("crsp_daily"))
    old = _rows(context, "crsp_daily")
    (negative, none, codes) = wrds_owner.execute(
        "SELECT count(*) FILTER (WHERE prc < 0), count(*) FILTER (WHERE prc = 0), count(*) FILTER (WHERE ret < -1) "
        "FROM crsp.dsf WHERE date >= '2023-01-01'"
    ).fetchone() or (0, 0, 0)

    # CIZ has a row more for the delisting itself, which SIZ keeps in a table of its own.
    beyond = new.join(old, on=["permno", "date"], how="anti")
    assert beyond.get_column("dlydelflg").unique().to_list() == ["Y"]
    new = new.join(beyond, on=["permno", "date"], how="anti")
    assert old.select("permno", "date").equals(new.select("permno", "date"))
    assert old.get_column("prc").min() > 0  # type: ignore[operator]
    assert old.get_column("dlyprcflg").value_counts().filter(pl.col("dlyprcflg") == "BA").item(0, 1) == negative > 0
    assert old.get_column("prc").null_count() == none > 0
    assert old.get_column("ret").min() >= -1  # type: ignore[operator]
    assert old.get_column("dlyretmissflg").count() == codes > 0
    assert set(old.get_column("dlyretmissflg").drop_nulls()) <= SPECIAL_CODES
    for name in (
        "prc",
        "dlyprcflg",
        "bid",
        "ask",
        "vol",
        "cfacpr",
        "shrout",
        "ticker",
        "primaryexch",
        "tradingstatusflg",
    ):
        both = pl.DataFrame({"old": old.get_column(name), "new": new.get_column(name)}).drop_nulls()
        assert both.height > 0.9 * new.get_column(name).count(), name
        assert both.filter(pl.col("old") != pl.col("new")).height <= 0.01 * both.height, name


def test_older_returns_leave_the_delisting_to_its_own_table(context: SyncContext) -> None:
    _synced(context, find_table("crsp_daily"))
    new = _rows(context, "crsp_daily")
    for name in ("crsp_daily", "crsp_delistings"):
        _synced(_in(context, "siz"), find_table(name))
    old = _rows(context, "crsp_daily")
    delisted = _rows(context, "crsp_delistings").drop_nulls("delret")
    last = delisted.join(old, left_on=["permno", "delistingdt"], right_on=["permno", "date"])

    assert delisted.height > 0
    assert delisted.get_column("dlstcd").min() >= 200  # type: ignore[operator]
    assert last.height > 0
    inside = new.join(old, on=["permno", "date"], suffix="_old").drop_nulls(["ret", "ret_old"])
    differing = inside.filter((pl.col("ret") - pl.col("ret_old")).abs() > 1e-5)
    assert set(differing.get_column("permno")) <= set(delisted.get_column("permno"))


def test_fundamentals_are_the_standard_rows_and_when_they_became_known(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    for name in ("compustat_annual", "compustat_quarterly"):
        _synced(context, find_table(name))
    annual, quarterly = _rows(context, "compustat_annual"), _rows(context, "compustat_quarterly")
    standard = "indfmt = 'INDL' AND datafmt = 'STD' AND popsrc = 'D' AND consol = 'C' AND datadate >= '2023-01-01'"
    for rows, relation in ((annual, "comp.funda"), (quarterly, "comp.fundq")):
        (all_rows, kept) = wrds_owner.execute(
            f"SELECT count(*), count(*) FILTER (WHERE {standard}) FROM {relation} WHERE datadate >= '2023-01-01'"
        ).fetchone() or (0, 0)
        assert rows.height == kept <= all_rows
        assert rows.select("indfmt", "datafmt", "popsrc", "consol").unique().rows() == [("INDL", "STD", "D", "C")]
        assert rows.get_column("gvkey").str.len_chars().unique().to_list() == [6]
        assert rows.get_column("gvkey").str.starts_with("0").any()
    for rows, forms in ((annual, ("10K",)), (quarterly, ("10K", "10Q"))):
        filed = wrds_owner.execute(
            "SELECT gvkey, datadate, min(filedate) FROM comp.co_filedate "
            "WHERE left(srctype, 3) = ANY(%s) GROUP BY 1, 2",
            (list(forms),),
        ).fetchall()
        first = {(gvkey, datadate): filedate for gvkey, datadate, filedate in filed}
        for gvkey, datadate, filedate in rows.select("gvkey", "datadate", "filedate").iter_rows():
            assert filedate == first.get((gvkey, datadate))
    announced = annual.drop_nulls("rdq")
    assert announced.height > 0
    assert (announced.get_column("rdq") > announced.get_column("datadate")).all()


def test_links_without_a_security_and_links_that_still_hold_are_kept(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    _synced(context, find_table("ccm_links"))
    rows = _rows(context, "ccm_links")
    (count, unlinked, open_links, permnos) = wrds_owner.execute(
        "SELECT count(*), count(*) - count(lpermno), count(*) - count(linkenddt), sum(lpermno) FROM crsp.ccmxpf_lnkhist"
    ).fetchone() or (0, 0, 0, 0)

    assert rows.height == count
    assert rows.get_column("lpermno").null_count() == unlinked > 0
    assert rows.get_column("linkenddt").null_count() == open_links > 0
    assert rows.get_column("lpermno").sum() == permnos


def test_the_exchange_codes_explain_every_code_in_use(context: SyncContext) -> None:
    for name in ("crsp_exchange_codes", "crsp_names"):
        _synced(context, find_table(name))
    codes = _rows(context, "crsp_exchange_codes")
    known = {(str(item).lower(), value) for item, value in codes.select("itemname", "flagvalue").iter_rows()}
    names = _rows(context, "crsp_names")
    for column in ("primaryexch", "exchangetier", "conditionaltype", "tradingstatusflg"):
        used = set(names.get_column(column).drop_nulls())
        assert used
        assert {(column, value) for value in used} <= known
