"""When the data library cannot be reached, WRDS's copy of the factors stands in, and the manifest says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from data_platform.catalog import find_table
from data_platform.errors import SourceError
from data_platform.quality import Status
from data_platform.records.databases import Databases
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, sync_partition, sync_partitions
from data_platform_tests.demo_fixtures import with_account

NOBODY_THERE = "http://127.0.0.1:9/"
FACTORS = pytest.mark.parametrize("name", ["ff_factors_daily", "ff_factors_monthly"])


@pytest.fixture
def subscribed(context: SyncContext, wrds: Databases) -> SyncContext:
    """A context with a WRDS user, whose site cannot be reached."""
    demo = wrds.demo
    assert demo is not None
    return dataclasses.replace(context, settings=with_account(context.settings, demo, ken_french_url=NOBODY_THERE))


def _at(context: SyncContext, url: str) -> SyncContext:
    return dataclasses.replace(context, settings=context.settings.model_copy(update={"ken_french_url": url}))


def _sources(context: SyncContext, name: str) -> set[str]:
    return {entry.source for entry in context.warehouse.reader(name).pin().manifest.files}


@FACTORS
def test_the_copy_holds_the_same_factors(subscribed: SyncContext, site: tuple[Path, str], name: str) -> None:
    table = find_table(name)
    (outcome,) = sync_partitions(subscribed, table, ["all"])
    assert isinstance(outcome, SyncOutcome)
    assert outcome.status is SyncStatus.PUBLISHED
    assert {check.status for check in outcome.results} == {Status.PASSED}
    assert _sources(subscribed, name) == {"wrds"}
    (warning,) = outcome.warnings
    assert "could not be downloaded from 127.0.0.1" in warning
    assert "copy of wrds stood in" in warning
    copied = subscribed.warehouse.reader(name).pin().scan().collect()

    again = sync_partition(subscribed, table, "all")
    assert isinstance(again, SyncOutcome)
    assert again.status is SyncStatus.UP_TO_DATE

    back = sync_partition(_at(subscribed, site[1]), table, "all")
    assert isinstance(back, SyncOutcome)
    assert (back.warnings, _sources(subscribed, name)) == ((), {"ken_french"})
    published = subscribed.warehouse.reader(name).pin().scan().collect()
    assert copied.get_column("date").equals(published.get_column("date"))
    for column in published.columns[1:]:
        both = pl.DataFrame({"site": published.get_column(column), "wrds": copied.get_column(column)})
        assert both.filter(pl.col("site").is_null() != pl.col("wrds").is_null()).is_empty(), column
        assert both.drop_nulls().filter((pl.col("site") - pl.col("wrds")).abs() > 1e-9).is_empty(), column


def test_a_site_that_can_be_reached_is_asked_alone(subscribed: SyncContext, site: tuple[Path, str]) -> None:
    context = _at(subscribed, site[1])
    broken = context.settings.model_copy(update={"wrds_password": SecretStr("wrong")})
    outcome = sync_partition(dataclasses.replace(context, settings=broken), find_table("ff_factors_daily"), "all")

    assert isinstance(outcome, SyncOutcome)
    assert outcome.file.source == "ken_french"


def test_a_file_that_the_site_has_not_is_no_reason_to_go_elsewhere(
    subscribed: SyncContext, site: tuple[Path, str]
) -> None:
    (site[0] / "F-F_Momentum_Factor_daily_CSV.zip").unlink()
    with pytest.raises(SourceError, match="is missing on the server"):
        sync_partition(_at(subscribed, site[1]), find_table("ff_factors_daily"), "all")


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("ff_factors_daily", {"wrds_username": None}, "could not be downloaded from 127.0.0.1"),
        ("ff_factors_daily", {"wrds_password": SecretStr("wrong")}, "The copy is not to be had either: WRDS cannot be"),
        ("ff_industries_10_daily", {}, "could not be downloaded from 127.0.0.1"),
    ],
)
def test_without_a_copy_the_site_that_is_away_is_the_error(
    subscribed: SyncContext, name: str, changes: dict[str, object], words: str
) -> None:
    settings = subscribed.settings.model_copy(update=changes)
    with pytest.raises(SourceError, match=words):
        sync_partition(dataclasses.replace(subscribed, settings=settings), find_table(name), "all")
    assert subscribed.warehouse.manifests(name).latest() is None
