"""The monthly factors: the first monthly table of each file, and never the annual ones behind it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.catalog import find_table
from data_platform.sources import UnusableData
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.sources.library_files import text_of, zip_of

MONTHLY = find_table("ff_factors_monthly")
THREE, MOMENTUM, FIVE = (
    f"F-F_{name}_CSV.zip" for name in ("Research_Data_Factors", "Momentum_Factor", "Research_Data_5_Factors_2x3")
)
FILES = {
    THREE: (
        *("This file was created using the 202509 CRSP database.", "", ",Mkt-RF,SMB,HML,RF"),
        *("202401,   0.71,  -5.09,  -2.38,   0.47", "202402,   5.06,  -0.24,  -3.49,   0.42"),
        *("", " Annual Factors: January-December ", ",Mkt-RF,SMB,HML,RF", "  2023,  21.69, -2.20, -4.58, 4.95", ""),
    ),
    MOMENTUM: ("Missing data are -99.99.", "", ",Mom   ", "202402,   4.99", "202403, -99.99", "", ",Mom", "2023, -16"),
    FIVE: (
        *(",Mkt-RF,SMB,HML,RMW,CMA,RF", "202401,  0.70,  -5.74,  -2.38,   0.69,  -0.96,   0.47"),
        *("202402,  5.07,  -0.76,  -9.99,  -1.99,  -2.16,   0.42",),
        *("", "  Annual", ",Mkt-RF,SMB,HML,RMW,CMA,RF", "2023, 21.69, 1, 1, 1, 1, 4.95"),
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, lines in FILES.items():
        (tmp_path / name).write_bytes(zip_of(text_of(*lines)))
    return tmp_path


def _read(folder: Path) -> tuple[pa.Table, list[str]]:
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        return pa.Table.from_batches(source.extract(MONTHLY, "all"), schema=MONTHLY.arrow_schema), source.warnings


def test_months_are_dated_by_their_last_day_and_repeats_compared(folder: Path) -> None:
    rows, warnings = _read(folder)

    expected = [
        (dt.date(2024, 1, 31), 0.0071, -0.0509, -0.0238, 0.0047, None, -0.0574, 0.0069, -0.0096),
        (dt.date(2024, 2, 29), 0.0506, -0.0024, -0.0349, 0.0042, 0.0499, -0.0076, -0.0199, -0.0216),
        (dt.date(2024, 3, 31), None, None, None, None, None, None, None, None),
    ]
    assert [tuple(row.values()) for row in rows.to_pylist()] == expected
    assert rows.schema.names == find_table("ff_factors_daily").arrow_schema.names
    assert warnings == [
        f"{FIVE}: its HML differs from hml beyond rounding on 1 of 2 months, first on 2024-02-29; hml was kept."
    ]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((",Mom", "20240131, 1"), "holds no monthly table"),
        ((",Mom", "2023, 1"), "holds no monthly table"),
        ((",Mom", ""), "holds an empty table"),
        ((",Up", "202401, 1"), "has no column Mom"),
    ],
)
def test_a_file_without_its_monthly_table_is_unusable(folder: Path, lines: tuple[str, ...], words: str) -> None:
    (folder / MOMENTUM).write_bytes(zip_of(text_of(*lines)))

    with pytest.raises(UnusableData, match=f"ff_factors_monthly all: {MOMENTUM} ") as caught:
        _read(folder)

    assert words in caught.value.message
