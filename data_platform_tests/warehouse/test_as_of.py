"""Time travel: a version, a tag, or what we would have seen at a moment."""

from __future__ import annotations

import datetime as dt

import pytest

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.as_of import AsOf, parse_as_of, version_at
from data_platform.warehouse.manifest_form import documents_of
from data_platform.warehouse.reader import NoDataError
from data_platform_tests.warehouse.damage import flip_a_bit
from data_platform_tests.warehouse.frames import batch, publish

NEW_YORK = dt.timezone(dt.timedelta(hours=-5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", AsOf(version=3)),
        (" 12 ", AsOf(version=12)),
        ("paper-1", AsOf(tag="paper-1")),
        ("2024-01-15", AsOf(moment=dt.datetime(2024, 1, 15, 23, 59, 59, 999_999, dt.UTC))),
        ("2024-01-15T18:00", AsOf(moment=dt.datetime(2024, 1, 15, 18, tzinfo=dt.UTC))),
        ("2024-01-15T18:00:00-05:00", AsOf(moment=dt.datetime(2024, 1, 15, 23, tzinfo=dt.UTC))),
        ("2024-01-15 18:00:00Z", AsOf(moment=dt.datetime(2024, 1, 15, 18, tzinfo=dt.UTC))),
        ("9999-12-31", AsOf(moment=dt.datetime.max.replace(tzinfo=dt.UTC))),
        ("2024-02-30", None),
        ("2024", AsOf(version=2024)),
        ("2024-1", None),
        ("20240115", None),
        ("20240115123", None),
        ("-1", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("3.5", None),
        ("", None),
        ("1" * 5000, None),
    ],
)
def test_what_is_meant(text: str, expected: AsOf | None) -> None:
    if expected is None:
        with pytest.raises(UsageError):
            parse_as_of(text)
    else:
        assert parse_as_of(text) == expected


@pytest.fixture
def days(warehouse: Warehouse) -> Warehouse:
    """Twenty versions, published at noon UTC on 1 to 20 January 2024."""
    for day in range(1, 21):
        manifest = publish(warehouse, "t", "2024", batch(2024, rows=day))
        _published_at(warehouse, manifest, dt.datetime(2024, 1, day, 12, tzinfo=dt.UTC))
    return warehouse


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2024-01-01", 1),
        ("2024-01-15", 15),
        ("2024-01-15T11:59", 14),
        ("2024-01-15T12:00", 15),
        ("2024-01-15T07:00-05:00", 15),
        ("2024-01-20", 20),
        ("2030-01-01", 20),
    ],
)
def test_a_date_reads_what_we_would_have_seen_then(days: Warehouse, text: str, version: int) -> None:
    pinned = days.reader("t").pin(parse_as_of(text))
    assert pinned.version == version
    assert pinned.scan().collect().height == version


def test_before_the_first_version_there_is_nothing(days: Warehouse) -> None:
    with pytest.raises(UsageError, match="Nothing of t was published by 2023-12-31"):
        days.reader("t").pin(parse_as_of("2023-12-31"))


def test_a_tag_reads_the_version_it_names(days: Warehouse) -> None:
    days.snapshots.create("paper", {"t": 7}, created_by="ann")
    days.pins.create("backtest", {"t": 5}, created_by="ann")
    assert days.reader("t").pin(parse_as_of("backtest")).version == 5
    assert days.reader("t").pin(parse_as_of("paper")).version == 7
    publish(days, "u", "2024")
    with pytest.raises(UsageError, match="There is no snapshot or pin paper that names u"):
        days.reader("u").pin(parse_as_of("paper"))
    with pytest.raises(UsageError, match="There is no snapshot or pin nope"):
        days.reader("t").pin(parse_as_of("nope"))


def test_a_table_that_was_never_synced_says_so_whatever_is_asked(warehouse: Warehouse) -> None:
    for text in ("1", "2024-01-01", "paper"):
        with pytest.raises(NoDataError):
            warehouse.reader("t").pin(parse_as_of(text))


def test_a_damaged_manifest_stops_only_the_dates_whose_answer_it_may_be(days: Warehouse) -> None:
    flip_a_bit(days.store.path(layout.version("t", 10)))
    for day in [*range(1, 9), *range(11, 21)]:
        assert version_at(days.store, "t", parse_as_of(f"2024-01-{day:02d}")) == day
    for day in ("2024-01-09", "2024-01-10"):  # it may have been published at any time between its neighbours
        with pytest.raises(ChecksumMismatchError, match="version 10"):
            version_at(days.store, "t", parse_as_of(day))


def test_a_clock_that_was_set_back_never_reorders_versions(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2024")
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=400)
    _published_at(warehouse, first, ahead)
    assert publish(warehouse, "t", "2024", batch(rows=5)).sync_timestamp == ahead


def _published_at(warehouse: Warehouse, manifest: SyncManifest, moment: dt.datetime) -> None:
    """Put a manifest's clock elsewhere, as if it had been published then."""
    moved = manifest.model_copy(update={"sync_timestamp": moment})
    warehouse.store.replace(layout.version("t", manifest.manifest_version), documents_of(moved)[0])
