"""What came of each partition's sync is counted, with its times, where it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.errors import LockBusyError
from data_platform.metrics.counting import count_in
from data_platform.sync import SyncContext, SyncFailure, SyncOutcome, sync_partition, sync_partitions
from data_platform_tests.metrics.figures import Figures, figures, risen

MONTHLY = find_table("crsp_monthly")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    count_in(tmp_path)
    yield tmp_path
    count_in(tmp_path / "nowhere")


def _counts(found: Figures) -> Figures:
    return {key: by for key, by in found.items() if key[0].endswith(("_total", "_count"))}


def test_each_result_is_counted_and_what_took_time_is_measured(
    context: SyncContext, wrds_owner: psycopg.Connection, home: Path
) -> None:
    began = time.time()
    before = figures(home)
    (outcome,) = sync_partitions(context, MONTHLY, ["2023"])
    assert isinstance(outcome, SyncOutcome)
    after = figures(home)
    found = risen(before, after)
    assert _counts(found) == {
        ("data_sync_partitions_total", "crsp", "crsp_monthly", "published"): 1,
        ("data_sync_duration_seconds_count", "crsp_monthly"): 1,
        ("data_sync_extract_seconds_count", "crsp_monthly"): 1,
        ("data_sync_publish_seconds_count", "crsp_monthly"): 1,
        ("data_sync_rows_per_second_count", "crsp_monthly"): 1,
        ("data_drift_results_total", "crsp_monthly", "passed"): 1,
    }
    assert found[("data_sync_rows_per_second_sum", "crsp_monthly")] == pytest.approx(outcome.rows_per_second, abs=1e-3)
    assert began <= after[("data_sync_last_success_timestamp_seconds", "crsp", "crsp_monthly")] <= time.time()

    sync_partition(context, MONTHLY, "2023")
    later = figures(home)
    assert _counts(risen(after, later)) == {
        ("data_sync_partitions_total", "crsp", "crsp_monthly", "up_to_date"): 1,
        ("data_sync_duration_seconds_count", "crsp_monthly"): 1,
    }

    with context.warehouse.lock("crsp_monthly").acquire(), pytest.raises(LockBusyError):
        sync_partition(context, MONTHLY, "2023")
    latest = figures(home)
    assert _counts(risen(later, latest)) == {
        ("data_sync_partitions_total", "crsp", "crsp_monthly", "failed"): 1,
        ("data_sync_duration_seconds_count", "crsp_monthly"): 1,
    }

    wrds_owner.execute("DELETE FROM crsp.msf_v2 WHERE mthcaldt > '2023-06-30' AND mthcaldt < '2024-01-01'")
    (failure,) = sync_partitions(context, MONTHLY, ["2023"])
    assert isinstance(failure, SyncFailure)
    assert _counts(risen(latest, figures(home))) == {
        ("data_sync_partitions_total", "crsp", "crsp_monthly", "rejected"): 1,
        ("data_sync_duration_seconds_count", "crsp_monthly"): 1,
        ("data_drift_results_total", "crsp_monthly", "passed"): 1,
    }
