"""Price drift over what a real sync published: tables of the demo that hold the same prices agree."""

from __future__ import annotations

import polars as pl

from data_platform.catalog import find_table
from data_platform.quality.price_drift import drift_between
from data_platform.sync import SyncContext, sync_partitions
from data_platform.sync.watchers.drift import DriftMemory, look_for_drift


def test_months_and_days_of_a_synced_market_agree_at_month_ends(context: SyncContext) -> None:
    daily, monthly = find_table("crsp_daily"), find_table("crsp_monthly")
    frames: list[pl.LazyFrame] = []
    for table in (daily, monthly):
        assert len(list(sync_partitions(context, table, ["2024"]))) == 1
        frames.append(context.warehouse.reader(table.name).pin().scan())
    assert daily.series is not None
    assert monthly.series is not None
    found = drift_between(frames[1], frames[0], monthly.series, daily.series)
    assert found.compared > 100
    assert found.drifted == 0
    look = look_for_drift(context.warehouse, DriftMemory())
    assert (look.comparisons, look.found, look.is_complete) == (1, [], True)
    moved = frames[0].with_columns(pl.col("prc") * 1.02)
    assert drift_between(frames[1], moved, monthly.series, daily.series).drifted == found.compared
