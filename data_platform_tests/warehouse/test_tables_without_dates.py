"""A table whose rows have no dates is staged, published, pinned and pruned like any other, its dates being none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from data_platform.warehouse import FileEntry, Warehouse
from data_platform.warehouse.manifest import span
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.staging import stage

CODES = pa.table({"code": ["A", "N", "Q"], "meaning": ["American", "New York", "NASDAQ"]})


def _entry(first: str | None, last: str | None) -> FileEntry:
    return FileEntry(
        partition="all",
        sha256="0" * 64,
        bytes=1,
        rows=1,
        min_date=None if first is None else dt.date.fromisoformat(first),
        max_date=None if last is None else dt.date.fromisoformat(last),
        source="wrds",
        source_fingerprint="x",
    )


def test_it_is_published_without_dates_and_read_for_any(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    staged = stage(CODES.to_batches(), CODES.schema, None, tmp_path / "codes.parquet")
    with warehouse.lock("codes").acquire() as lock:
        manifest = publish_partition(
            warehouse.store,
            lock,
            dataset="crsp",
            table="codes",
            partition="all",
            staged=staged,
            provenance=Provenance("wrds", "f" * 64, None),
            checks=(),
        )
    again = warehouse.manifests("codes").latest()

    assert again == manifest
    assert (manifest.start_date, manifest.end_date, manifest.row_count) == (None, None, 3)
    pinned = warehouse.reader("codes").pin()
    for start, end in ((None, None), (dt.date(2024, 1, 1), None), (None, dt.date(1900, 1, 1))):
        assert pinned.scan(start=start, end=end).collect().height == 3


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([(None, None)], (None, None)),
        ([("2024-01-02", "2024-12-31")], ("2024-01-02", "2024-12-31")),
        ([("2024-01-02", "2024-12-31"), ("2023-01-03", "2023-12-29")], ("2023-01-03", "2024-12-31")),
    ],
)
def test_a_version_spans_the_dates_of_its_files(
    entries: list[tuple[str | None, str | None]], expected: tuple[str | None, str | None]
) -> None:
    found = span([_entry(*entry) for entry in entries])

    assert tuple(day and day.isoformat() for day in found) == expected


@pytest.mark.parametrize(("first", "last"), [("2024-01-01", None), (None, "2024-01-01"), ("2024-01-02", "2024-01-01")])
def test_half_a_span_or_one_backwards_is_refused(first: str | None, last: str | None) -> None:
    with pytest.raises(ValidationError, match="_date is"):
        _entry(first, last)
