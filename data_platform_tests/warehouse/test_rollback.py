"""Going back is going on: an earlier state becomes the next version."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.manifest_form import documents_of
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.rollback import roll_back
from data_platform.warehouse.verify import verify_table
from data_platform_tests.warehouse.changing import LATER, TABLE, publish_rows, written
from data_platform_tests.warehouse.damage import blob_path, flip_a_bit
from data_platform_tests.warehouse.frames import SCHEMA, batch, publish


def _back(warehouse: Warehouse, to: int | None = None) -> SyncManifest:
    with warehouse.lock("t").acquire() as lock:
        return roll_back(warehouse.store, lock, "t", to)


def test_the_previous_state_becomes_a_new_version(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2023")
    second = publish(warehouse, "t", "2024")
    third = _back(warehouse)
    assert (third.manifest_version, third.checksum, third.previous_checksum) == (3, first.checksum, second.checksum)
    assert third.changed_partitions == ("2024",)
    assert warehouse.reader("t").pin(2).row_count == 6
    assert warehouse.reader("t").pin().row_count == 3
    assert verify_table(warehouse.store, "t").problems == ()


def test_going_back_twice_is_going_forth(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2024", batch(rows=1))
    second = publish(warehouse, "t", "2024", batch(rows=2))
    _back(warehouse)
    assert _back(warehouse).checksum == second.checksum


def test_any_version_can_be_gone_back_to(warehouse: Warehouse) -> None:
    made = [publish(warehouse, "t", "2024", batch(rows=rows)) for rows in range(1, 6)]
    assert _back(warehouse, to=2).files == made[1].files


@pytest.mark.parametrize(
    ("versions", "to", "message"),
    [
        (0, None, "no earlier version"),
        (1, None, "no earlier version"),
        (2, 9, "no version 9"),
        (2, 2, "state of version 2"),
    ],
)
def test_what_cannot_be_gone_back_to_publishes_nothing(
    warehouse: Warehouse, versions: int, to: int | None, message: str
) -> None:
    for rows in range(versions):
        publish(warehouse, "t", "2024", batch(rows=rows + 1))
    with pytest.raises(UsageError, match=message):
        _back(warehouse, to)
    assert warehouse.manifests("t").latest_number() == versions


def test_a_schema_that_was_gone_back_from_is_never_rewritten(warehouse: Warehouse) -> None:
    wider = SCHEMA.append(pa.field("vol", pa.int64()))
    other = SCHEMA.append(pa.field("shrout", pa.int64()))

    def widened(schema: pa.Schema) -> pa.RecordBatch:
        rows = batch()
        return pa.record_batch([*rows.columns, pa.array([1] * rows.num_rows, pa.int64())], schema=schema)

    assert publish(warehouse).schema_version == "1.0.0"
    assert publish(warehouse, "t", "2024", widened(wider), schema=wider).schema_version == "1.1.0"
    assert _back(warehouse).schema_version == "1.0.0"
    assert publish(warehouse, "t", "2024", widened(other), schema=other).schema_version == "1.2.0"
    assert "vol" in warehouse.reader("t").pin(2).scan().collect().columns
    assert verify_table(warehouse.store, "t").problems == ()
    _back(warehouse, to=3)
    assert publish(warehouse, "t", "2024", widened(wider), schema=wider).schema_version == "1.1.0"


def test_a_lost_latest_manifest_is_left_behind(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2024")
    flip_a_bit(warehouse.store.path(layout.version("t", 2)))
    with pytest.raises(ChecksumMismatchError, match="version 2"):
        warehouse.reader("t").pin()
    third = _back(warehouse)
    assert (third.manifest_version, third.checksum, third.previous_checksum) == (3, first.checksum, None)
    assert warehouse.reader("t").pin().row_count == 3
    assert publish(warehouse, "t", "2024").manifest_version == 4
    assert [problem.versions for problem in verify_table(warehouse.store, "t").problems] == [(2,)]


def test_a_damaged_file_cannot_be_gone_back_to(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2024", batch(rows=1))
    publish(warehouse, "t", "2024", batch(rows=2))
    flip_a_bit(blob_path(warehouse, first, "2024"))
    with pytest.raises(ChecksumMismatchError, match="partition 2024"):
        _back(warehouse)
    assert warehouse.manifests("t").latest_number() == 2


def test_going_back_over_a_lost_manifest_never_goes_back_in_time(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2023")
    second = publish(warehouse, "t", "2024")
    ahead = second.sync_timestamp + dt.timedelta(days=400)
    moved = second.model_copy(update={"sync_timestamp": ahead})
    warehouse.store.replace(layout.version("t", 2), documents_of(moved)[0])
    publish(warehouse, "t", "2024", batch(2024, rows=5))
    flip_a_bit(warehouse.store.path(layout.version("t", 3)))
    assert _back(warehouse).sync_timestamp == ahead


def test_going_back_twice_to_a_version_that_was_dropped_is_refused_the_second_time(warehouse: Warehouse) -> None:
    for seed in (1, 2):
        publish_rows(warehouse, seed)
    expected = written(warehouse.reader(TABLE).pin(1).files[0])
    apply_retention(warehouse, now=LATER)
    with warehouse.lock(TABLE).acquire() as lock:
        roll_back(warehouse.store, lock, TABLE, 1)
        with pytest.raises(UsageError, match="state of version 1 already"):
            roll_back(warehouse.store, lock, TABLE, 1)
    assert written(warehouse.reader(TABLE).pin().files[0]) == expected
    assert verify_table(warehouse.store, TABLE).problems == ()


def test_a_rebuilt_file_whose_published_twin_is_damaged_takes_its_place(warehouse: Warehouse) -> None:
    for seed in (1, 2):
        publish_rows(warehouse, seed)
    apply_retention(warehouse, now=LATER)
    with warehouse.lock(TABLE).acquire() as lock:
        back = roll_back(warehouse.store, lock, TABLE, 1)
    publish_rows(warehouse, 3)
    flip_a_bit(blob_path(warehouse, back, "2024"))
    with warehouse.lock(TABLE).acquire() as lock:
        roll_back(warehouse.store, lock, TABLE, 1)
    assert warehouse.reader(TABLE).pin().scan().collect().height == back.row_count
