"""When the source has a new vintage, only partitions that it changed are extracted, old restated years among them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from data_platform.catalog import TABLES, Partitioning, Table, WrdsQuery, find_table
from data_platform.records.databases import Databases
from data_platform.settings import Settings
from data_platform.sources.demo.load import load_demo
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, partitions_of, sync_partitions

YEARS = (2022, 2024)
YEARLY = [
    table
    for table in TABLES.values()
    if isinstance(table.origin, WrdsQuery) and table.partitioning is Partitioning.YEAR
]
RESTATED = {
    "crsp_daily": {"2022"},
    "crsp_monthly": set[str](),
    "compustat_annual": {"2022", "2024"},
    "compustat_quarterly": {"2022", "2024"},
}
"""Days and statements of the first year are restated, and filings of the last one that were outstanding arrive."""


@pytest.fixture
def vintages(context: SyncContext, wrds: Databases, tmp_path: Path) -> SyncContext:
    """A home of its own with the first vintage in this test's WRDS."""
    settings = Settings(home=tmp_path / "home", _env_file=None)
    load_demo(settings, wrds, years=YEARS, securities=40)
    return dataclasses.replace(context, settings=settings)


def _synced(context: SyncContext, table: Table, *, full: bool = False) -> dict[str, SyncOutcome]:
    known = partitions_of(table, context.settings, dt.datetime.now(dt.UTC).date())
    results = list(sync_partitions(context, table, known, full=full))
    assert [type(result) for result in results] == [SyncOutcome] * 3, results
    return {result.partition: result for result in results if isinstance(result, SyncOutcome)}


def test_only_what_the_new_vintage_changed_is_extracted(vintages: SyncContext, wrds: Databases) -> None:
    before = {table.name: _synced(vintages, table) for table in YEARLY}
    load_demo(vintages.settings, wrds, years=YEARS, securities=40, vintage=2)
    after = {table.name: _synced(vintages, table) for table in YEARLY}

    assert set(after) == set(RESTATED)
    for name, outcomes in after.items():
        published = {partition for partition, one in outcomes.items() if one.status is SyncStatus.PUBLISHED}
        extracted = {partition for partition, one in outcomes.items() if one.extract_seconds}
        assert published == extracted == RESTATED[name], name
        for partition, one in outcomes.items():
            assert (one.file.sha256 == before[name][partition].file.sha256) == (partition not in published)


def test_full_extracts_everything_and_publishes_nothing_new(vintages: SyncContext) -> None:
    table = find_table("compustat_annual")
    before = _synced(vintages, table)
    full = _synced(vintages, table, full=True)

    assert all(one.extract_seconds for one in full.values())
    assert {one.status for one in full.values()} == {SyncStatus.UP_TO_DATE}
    assert [one.file for one in full.values()] == [one.file for one in before.values()]
