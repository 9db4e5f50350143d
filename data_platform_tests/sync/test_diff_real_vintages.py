"""What the source restated between two real vintages, against a reading of the zips with the csv module alone."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest

from data_platform.catalog import find_table
from data_platform.sources.demo.site import serve_folder
from data_platform.sync import SyncContext, sync_partition
from data_platform.warehouse.diff.comparing import compare_versions, differing_rows
from data_platform.warehouse.retention.applying import apply_retention

FACTORS = find_table("ff_factors_daily")
THREE = "F-F_Research_Data_Factors_daily_CSV.zip"
OTHERS = ("F-F_Momentum_Factor_daily_CSV.zip", "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip")
COLUMNS = ("mktrf", "smb", "hml", "rf")
Days = dict[dt.date, list[str]]


def _read(archive: Path) -> Days:
    """The cells of each day, as the source wrote them."""
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(opened.namelist()[0]).decode("latin-1")
    found: Days = {}
    for cells in csv.reader(io.StringIO(text)):
        day = cells[0].strip() if cells else ""
        if len(day) == 8 and day.isdigit():
            found[dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))] = [cell.strip() for cell in cells[1:]]
    return found


@pytest.fixture
def vintages(shared_data: Path) -> tuple[Path, Path]:
    folder = shared_data / "ken_french"
    return folder / "202406" / THREE, folder / "202407" / THREE


@pytest.fixture
def synced(context: SyncContext, vintages: tuple[Path, Path], tmp_path: Path) -> SyncContext:
    """Version 1 from the older 3-factor file, version 2 from the newer; the other files are the newer ones in both."""
    for three in vintages:
        folder = tmp_path / three.parent.name
        folder.mkdir()
        (folder / THREE).write_bytes(three.read_bytes())
        for name in OTHERS:
            (folder / name).write_bytes((vintages[1].parent / name).read_bytes())
        with serve_folder(folder) as url:
            settings = context.settings.model_copy(update={"ken_french_url": url})
            sync_partition(dataclasses.replace(context, settings=settings), FACTORS, "all")
    return context


def _restated(old: Days, new: Days) -> dict[str, dict[dt.date, tuple[float, float]]]:
    return {
        name: {
            day: (float(old[day][index]), float(new[day][index]))
            for day in old.keys() & new.keys()
            if float(old[day][index]) != float(new[day][index])
        }
        for index, name in enumerate(COLUMNS)
    }


@pytest.mark.parametrize("dropped", [False, True], ids=["both stored", "the older rebuilt"])
def test_the_difference_of_two_vintages_is_exactly_what_was_restated(
    synced: SyncContext, vintages: tuple[Path, Path], *, dropped: bool
) -> None:
    if dropped:
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=91)
        assert apply_retention(synced.warehouse, now=later).files_dropped == 1
    old, new = (_read(archive) for archive in vintages)
    restated = _restated(old, new)
    reader = synced.warehouse.reader(FACTORS.name)
    (partition,) = compare_versions(reader.pin(1), reader.pin(2), FACTORS).partitions
    detail = partition.detail
    assert detail is not None
    # Days that only the newer 3-factor file has are there before too where another file has them, as nulls.
    stored_before = set(reader.pin(1).scan().collect().get_column("date").to_list())
    filled = {day for day in new.keys() - old.keys() if day in stored_before}
    added = (new.keys() - old.keys()) - filled
    assert (detail.added, detail.removed) == (len(added), len(old.keys() - new.keys()))
    assert detail.columns == {name: len(days) + len(filled) for name, days in restated.items() if days or filled}
    changed = {day for days in restated.values() for day in days} | filled
    assert detail.changed == len(changed)
    assert (detail.first_date, detail.last_date) == (min(changed | added), max(changed | added))
    rows = differing_rows(reader.pin(1), reader.pin(2), FACTORS, 10_000_000)
    found: dict[str, dict[dt.date, tuple[float, float]]] = {name: {} for name in COLUMNS}
    for day, change, column, before, after in rows.iter_rows():
        if change == "changed" and day not in filled:
            found[column][day] = (float(before), float(after))
    assert {name: days.keys() for name, days in found.items()} == {name: days.keys() for name, days in restated.items()}
    for name, days in restated.items():
        for day, (before, after) in days.items():
            assert found[name][day] == pytest.approx((before / 100, after / 100), abs=1e-12)
    assert sum(map(len, restated.values())) > 1_000  # the newer vintage restated decades
