"""Syncing monthly factors and industries: published, restated, refused when months or captioned tables are missing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from data_platform.catalog import Table, find_dataset, find_table
from data_platform.errors import PlatformError
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, sync_partition

FACTORS, INDUSTRIES = find_table("ff_factors_monthly"), find_table("ff_industries_49_monthly")
FILE = "49_Industry_Portfolios_CSV.zip"


def _sync(context: SyncContext, url: str, table: Table = INDUSTRIES) -> SyncOutcome:
    settings = context.settings.model_copy(update={"ken_french_url": url})
    return sync_partition(dataclasses.replace(context, settings=settings), table, "all")


def _edit(archive: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Change a zipped file's lines."""
    with zipfile.ZipFile(archive) as opened:
        lines = opened.read(opened.namelist()[0]).decode().splitlines()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("file.csv", "\r\n".join([*change(lines), ""]))


def test_every_table_of_the_site_is_published_with_every_check_passed(
    context: SyncContext, site: tuple[Path, str]
) -> None:
    for table in find_dataset("fama_french").tables:  # in one test, which spares seven databases
        outcome = _sync(context, site[1], table)
        assert [check.status.value for check in outcome.results] == ["passed"] * 7, table.name
        frame = context.warehouse.reader(table.name).pin().scan().collect()
        assert frame.columns == [column.name for column in table.columns]
        assert frame.height == frame.unique(table.key).height == outcome.file.rows
        assert frame.equals(frame.sort(table.key))
        assert _sync(context, site[1], table).status is SyncStatus.UP_TO_DATE


def test_monthly_factors_are_those_of_the_days(context: SyncContext, site: tuple[Path, str]) -> None:
    daily = find_table("ff_factors_daily")
    for table in (daily, FACTORS):
        _sync(context, site[1], table)
    days, months = (context.warehouse.reader(table.name).pin().scan().collect() for table in (daily, FACTORS))

    growth = days.group_by(pl.col("date").dt.month_end()).agg(
        market=(1 + pl.col("mktrf") + pl.col("rf")).product() - (1 + pl.col("rf")).product()
    )
    both = months.join(growth, on="date")
    assert months.get_column("date").to_list()[::23] == [dt.date(2023, 1, 31), dt.date(2024, 12, 31)]
    assert (both.height, months.height) == (24, 24)
    assert both.select((pl.col("mktrf") - pl.col("market")).abs().max()).item() < 1e-4


def test_a_restated_return_is_a_new_version_with_one_changed_row(context: SyncContext, site: tuple[Path, str]) -> None:
    folder, url = site
    _sync(context, url)

    def restate(lines: list[str]) -> list[str]:
        first = next(index for index, line in enumerate(lines) if line.startswith("202303"))
        key, _, *others = lines[first].split(",")
        return [*lines[:first], ",".join([key, "   9.87", *others]), *lines[first + 1 :]]

    _edit(folder / FILE, restate)
    assert _sync(context, url).manifest.manifest_version == 2
    old, new = (context.warehouse.reader(INDUSTRIES.name).pin(n).scan().collect() for n in (1, 2))
    changed = new.join(old, on=new.columns, how="anti", nulls_equal=True).row(0, named=True)
    assert new.height == old.height
    assert (changed["industry"], changed["weighting"], changed["ret"]) == ("Agric", "vw", 0.0987)


def _without_a_month(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("202306")]


def _without_equal_weights(lines: list[str]) -> list[str]:
    return [line.replace("Equal Weighted Returns -- Monthly", "Something") for line in lines]


def _mostly_missing(lines: list[str]) -> list[str]:
    return [",".join([line[:6], *["-99.99"] * 49]) if line.startswith("2024") else line for line in lines]


@pytest.mark.parametrize(
    ("spoil", "message", "kept"),
    [
        (_without_a_month, "1 of 24 sessions are missing: 2023-06-30", None),
        (_mostly_missing, "too many missing values", None),
        (_without_equal_weights, "no monthly table of equal-weighted returns", FILE),
    ],
)
def test_a_file_that_is_not_fit_is_quarantined_and_the_last_good_version_stays(
    context: SyncContext,
    site: tuple[Path, str],
    spoil: Callable[[list[str]], list[str]],
    message: str,
    kept: str | None,
) -> None:
    folder, url = site
    good = _sync(context, url)
    _edit(folder / FILE, spoil)

    with pytest.raises(PlatformError, match=INDUSTRIES.name) as caught:
        _sync(context, url)

    (entry,) = context.warehouse.quarantine.entries()
    assert caught.value.exit_code == 6
    assert message in " ".join([caught.value.message, *entry.findings])
    if kept:
        assert entry.files == (kept,)
        assert (context.warehouse.quarantine.folder(entry) / kept).read_bytes() == (folder / FILE).read_bytes()
    assert context.warehouse.reader(INDUSTRIES.name).pin().manifest == good.manifest
