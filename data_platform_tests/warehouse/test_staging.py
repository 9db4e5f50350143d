"""Staging: bounded, deterministic, with statistics, and cleaned up whatever happens."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_platform.errors import SchemaError
from data_platform.warehouse.staging import ROW_GROUP_ROWS, stage, staging_folder
from data_platform_tests.warehouse.frames import SCHEMA, batch


def test_the_same_rows_give_the_same_bytes_however_they_arrive(tmp_path: Path) -> None:
    whole = batch(rows=100)
    one = stage(iter([whole]), SCHEMA, "date", tmp_path / "one.parquet")
    many = stage(iter([whole.slice(0, 1), whole.slice(1, 70), whole.slice(71)]), SCHEMA, "date", tmp_path / "b.parquet")
    assert one.sha256 == many.sha256


def test_pages_end_at_the_same_rows_however_many_rows_arrive_at_a_time(tmp_path: Path) -> None:
    rows = ROW_GROUP_ROWS + 70_000
    whole = pa.record_batch(
        [
            pa.array(range(rows), pa.int32()),
            pa.array([dt.date(2024, 1, 2)] * rows),
            pa.array([None if row % 7 == 0 else row / 3 for row in range(rows)]),
        ],
        schema=SCHEMA,
    )
    hashes = {
        size: stage(
            (whole.slice(first, size) for first in range(0, rows, size)), SCHEMA, "date", tmp_path / f"{size}.parquet"
        ).sha256
        for size in (rows, 65_536, 50_001, 9_973)
    }
    assert len(set(hashes.values())) == 1


def test_a_scan_can_skip_by_number_and_date_and_the_rest_has_no_statistics(tmp_path: Path) -> None:
    file = stage(iter([batch()]), SCHEMA, "date", tmp_path / "f.parquet")
    group = pq.ParquetFile(file.path).metadata.row_group(0)
    assert [group.column(index).is_stats_set for index in range(3)] == [True, True, False]


def test_statistics_are_those_of_the_rows(tmp_path: Path) -> None:
    holes = pa.record_batch(
        [pa.array([1, 2], pa.int32()), pa.array([None, dt.date(2024, 5, 1)]), pa.array([None, None], pa.float64())],
        schema=SCHEMA,
    )
    file = stage(iter([holes, batch()]), SCHEMA, "date", tmp_path / "f.parquet")
    assert (file.rows, file.min_date, file.max_date) == (5, dt.date(2024, 1, 2), dt.date(2024, 5, 1))
    assert file.null_counts == {"permno": 0, "date": 1, "ret": 2}
    assert file.bytes == file.path.stat().st_size


def test_large_input_is_cut_into_row_groups(tmp_path: Path) -> None:
    rows = ROW_GROUP_ROWS + 5
    big = pa.record_batch(
        [
            pa.array(range(rows), pa.int32()),
            pa.array([dt.date(2024, 1, 2)] * rows),
            pa.nulls(rows, pa.float64()),
        ],
        schema=SCHEMA,
    )
    file = stage(iter([big.slice(0, 1000), big.slice(1000)]), SCHEMA, "date", tmp_path / "f.parquet")
    metadata = pq.ParquetFile(file.path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [ROW_GROUP_ROWS, 5]
    assert pq.read_table(file.path).column("permno").to_pylist() == list(range(rows))


def test_no_rows_give_an_empty_file_without_dates(tmp_path: Path) -> None:
    file = stage(iter([]), SCHEMA, "date", tmp_path / "f.parquet")
    assert (file.rows, file.min_date, file.max_date) == (0, None, None)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            pa.schema([("permno", pa.int64()), ("date", pa.date32()), ("ret", pa.float64())]),
            "permno is int64, not int32",
        ),
        (pa.schema([("permno", pa.int32()), ("date", pa.date32())]), "ret is missing"),
    ],
)
def test_other_columns_are_refused_and_leave_no_file(tmp_path: Path, schema: pa.Schema, message: str) -> None:
    wrong = pa.RecordBatch.from_pylist([], schema=schema)
    with pytest.raises(SchemaError, match=message):
        stage(iter([wrong]), SCHEMA, "date", tmp_path / "f.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("batches", [1, ROW_GROUP_ROWS])
def test_a_source_that_breaks_off_leaves_neither_file_nor_thread(tmp_path: Path, batches: int) -> None:
    def breaking() -> Iterator[pa.RecordBatch]:
        yield from [batch()] * batches
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        stage(breaking(), SCHEMA, "date", tmp_path / "f.parquet")
    assert list(tmp_path.iterdir()) == []
    assert [thread for thread in threading.enumerate() if thread.name.startswith("parquet-writer")] == []


def test_a_full_disk_in_the_middle_is_one_clear_error_and_leaves_neither_file_nor_thread(tmp_path: Path) -> None:
    program = f"""
import resource, signal, sys, threading
from pathlib import Path
import numpy as np, pyarrow as pa
from data_platform.errors import DiskSpaceError
from data_platform.warehouse.staging import ROW_GROUP_ROWS, stage
from data_platform_tests.warehouse.frames import SCHEMA
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, {resource.RLIM_INFINITY}))
taken = 0
def endless():
    global taken
    random = np.random.default_rng(7)
    while True:
        taken += 1
        floats = pa.array(random.random(ROW_GROUP_ROWS // 4))
        ints = pa.array(np.arange(len(floats)), pa.int32())
        yield pa.record_batch([ints, ints.cast(pa.date32()), floats], schema=SCHEMA)
try:
    stage(endless(), SCHEMA, "date", Path({str(tmp_path / "f.parquet")!r}))
except DiskSpaceError as error:
    sys.exit(0 if "No space left" in error.message and threading.active_count() == 1 and taken < 40 else 3)
sys.exit(4)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    allocated: list[int] = []
    one = pa.record_batch(
        [
            pa.array(range(10_000), pa.int32()),
            pa.array([dt.date(2024, 1, 2)] * 10_000),
            pa.array([float(row) for row in range(10_000)]),
        ],
        schema=SCHEMA,
    )
    before = pa.total_allocated_bytes()

    def batches(groups: int) -> Iterator[pa.RecordBatch]:
        for _ in range(groups * ROW_GROUP_ROWS // 10_000):
            allocated.append(pa.total_allocated_bytes() - before)
            yield pa.record_batch([pa.concat_arrays([column]) for column in one.columns], schema=SCHEMA)

    stage(batches(4), SCHEMA, "date", tmp_path / "small.parquet")
    small = max(allocated)
    allocated.clear()
    stage(batches(24), SCHEMA, "date", tmp_path / "large.parquet")
    assert max(allocated) < 1.5 * small


def test_the_folder_goes_and_a_dead_writers_folder_goes_with_it(tmp_path: Path) -> None:
    dead = tmp_path / "t@dead"
    other = tmp_path / "other@alive"
    dead.mkdir()
    other.mkdir()
    with staging_folder(tmp_path, "t", "me") as folder:
        assert folder.is_dir()
        assert not dead.exists()
    assert not folder.exists()
    assert other.is_dir()
