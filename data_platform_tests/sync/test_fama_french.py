"""Syncing the factors from a static file server: versions, restated history, and files that are not fit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from data_platform.catalog import find_table
from data_platform.errors import PlatformError, SchemaError, SourceError
from data_platform.sources.demo.site import serve_folder
from data_platform.sync import SyncContext, SyncOutcome, SyncStatus, sync_partition

FACTORS = find_table("ff_factors_daily")
THREE = "F-F_Research_Data_Factors_daily_CSV.zip"
MOMENTUM = "F-F_Momentum_Factor_daily_CSV.zip"
FIVE = "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip"


def _sync(context: SyncContext, url: str, *, full: bool = False) -> SyncOutcome:
    settings = context.settings.model_copy(update={"ken_french_url": url})
    return sync_partition(dataclasses.replace(context, settings=settings), FACTORS, "all", full=full)


def _text(archive: Path) -> str:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(opened.namelist()[0]).decode()


def _rewrite(archive: Path, text: str) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(archive.name.replace("_CSV.zip", ".csv"), text)


def test_an_unchanged_site_publishes_nothing_and_a_rezipped_file_is_unchanged(
    context: SyncContext, site: tuple[Path, str]
) -> None:
    folder, url = site
    assert _sync(context, url).status is SyncStatus.PUBLISHED
    _rewrite(folder / MOMENTUM, _text(folder / MOMENTUM))
    assert _sync(context, url).status is SyncStatus.UP_TO_DATE
    assert context.warehouse.manifests(FACTORS.name).latest_number() == 1


def test_restated_history_is_a_new_version_and_the_old_one_stays(context: SyncContext, site: tuple[Path, str]) -> None:
    folder, url = site
    _sync(context, url)
    lines = _text(folder / THREE).splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if line.startswith("20230301"))
    day, *cells = lines[index].rstrip("\r\n").split(",")
    lines[index] = ",".join([day, "   9.87", *cells[1:]]) + "\r\n"
    _rewrite(folder / THREE, "".join(lines))
    outcome = _sync(context, url)
    assert (outcome.status, outcome.manifest.manifest_version) == (SyncStatus.PUBLISHED, 2)
    reader = context.warehouse.reader(FACTORS.name)
    old, new = (reader.pin(version).scan().collect() for version in (1, 2))
    changed = old.join(new, on="date").filter(pl.col("mktrf") != pl.col("mktrf_right"))
    assert changed.get_column("date").to_list() == [dt.date(2023, 3, 1)]
    assert changed.get_column("mktrf_right").item() == 0.0987


def _missing(folder: Path) -> None:
    (folder / FIVE).unlink()


def _truncated(folder: Path) -> None:
    data = (folder / FIVE).read_bytes()
    (folder / FIVE).write_bytes(data[: len(data) // 2])


def _html(folder: Path) -> None:
    (folder / FIVE).write_text("<!DOCTYPE html><html><body>We have moved</body></html>")


def _no_csv(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.doc", "nothing here")
    (folder / FIVE).write_bytes(buffer.getvalue())


@pytest.mark.parametrize("spoil", [_missing, _truncated, _html, _no_csv])
def test_a_file_that_is_missing_or_no_zip_fails_and_publishes_nothing(
    context: SyncContext, site: tuple[Path, str], spoil: Callable[[Path], None]
) -> None:
    folder, url = site
    good = _sync(context, url)
    spoil(folder)
    with pytest.raises(SourceError) as caught:
        _sync(context, url, full=True)
    assert caught.value.exit_code == 1
    assert "ff_factors_daily" in caught.value.message
    assert FIVE in caught.value.message
    assert context.warehouse.reader(FACTORS.name).pin().manifest == good.manifest
    assert context.warehouse.locks() == []


def _renamed(folder: Path) -> None:
    _rewrite(folder / FIVE, _text(folder / FIVE).replace("RMW", "Profit"))


def _empty(folder: Path) -> None:
    lines = _text(folder / FIVE).splitlines(keepends=True)
    _rewrite(folder / FIVE, "".join(line for line in lines if not line[:8].isdigit()))


@pytest.mark.parametrize("spoil", [_renamed, _empty])
def test_a_file_with_other_columns_or_no_rows_is_quarantined_as_evidence(
    context: SyncContext, site: tuple[Path, str], spoil: Callable[[Path], None]
) -> None:
    folder, url = site
    good = _sync(context, url)
    spoil(folder)
    with pytest.raises(SchemaError) as caught:
        _sync(context, url)
    assert caught.value.exit_code == 6
    assert "ff_factors_daily" in caught.value.message
    (entry,) = context.warehouse.quarantine.entries()
    assert entry.files == (FIVE,)
    kept = context.warehouse.quarantine.folder(entry) / FIVE
    assert kept.read_bytes() == (folder / FIVE).read_bytes()
    assert context.warehouse.reader(FACTORS.name).pin().manifest == good.manifest


def test_half_of_the_days_are_refused(context: SyncContext, site: tuple[Path, str]) -> None:
    folder, url = site
    _sync(context, url)
    for name in (THREE, MOMENTUM, FIVE):
        lines = _text(folder / name).splitlines(keepends=True)
        _rewrite(folder / name, "".join(line for line in lines if not (line[:8].isdigit() and int(line[6:8]) % 2)))
    with pytest.raises(PlatformError) as caught:
        _sync(context, url)
    assert caught.value.exit_code == 6
    assert len(context.warehouse.quarantine.entries()) == 1


def test_nothing_listening_is_one_clear_error(context: SyncContext) -> None:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        _sync(context, "http://127.0.0.1:9/")
    assert context.warehouse.manifests(FACTORS.name).latest() is None


def test_two_real_vintages_are_two_readable_versions(context: SyncContext, shared_data: Path, tmp_path: Path) -> None:
    vintages = shared_data / "ken_french"
    for name, three_from in (("old", "202406"), ("new", "202407")):
        folder = tmp_path / name
        folder.mkdir()
        for file in (MOMENTUM, FIVE):
            (folder / file).write_bytes((vintages / "202407" / file).read_bytes())
        (folder / THREE).write_bytes((vintages / three_from / THREE).read_bytes())
    with serve_folder(tmp_path / "old") as old, serve_folder(tmp_path / "new") as new:
        outcomes = [_sync(context, url) for url in (old, new, new)]
    assert [outcome.status.value for outcome in outcomes] == ["published", "published", "up_to_date"]
    reader = context.warehouse.reader(FACTORS.name)
    for version, name in ((1, "old"), (2, "new")):
        frame = reader.pin(version).scan().collect()
        rows = _naive(_text(tmp_path / name / THREE))
        ours = frame.filter(pl.col("mktrf").is_not_null())
        assert ours.height == len(rows)
        assert ours.get_column("date").to_list() == [day for day, _ in rows]
        for index, column in enumerate(("mktrf", "smb", "hml", "rf")):
            expected = sum(cells[index] for _, cells in rows) / 100
            assert ours.get_column(column).sum() == pytest.approx(expected, abs=1e-9)
    latest = reader.pin().scan().collect()
    assert latest.filter(pl.col("date") == dt.date(1926, 11, 3)).get_column("umd").item() == 0.0056
    assert latest.get_column("umd").null_count() > 0
    assert latest.select(pl.all().exclude("date").min()).row(0) > (-0.9,)


def _naive(text: str) -> list[tuple[dt.date, list[float]]]:
    """An independent reading of a daily file: every line that begins with eight digits."""
    rows: list[tuple[dt.date, list[float]]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells[0]) == 8 and cells[0].isdigit():
            rows.append((dt.datetime.strptime(cells[0], "%Y%m%d").date(), [float(cell) for cell in cells[1:]]))
    return rows
