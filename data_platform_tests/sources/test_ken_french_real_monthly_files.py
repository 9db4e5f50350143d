"""The data library's own monthly files, where they lie beside the project: every number, read by the csv module."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from data_platform.catalog import find_table
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.sources.library_files import text_of, zip_of

FACTORS, INDUSTRIES = find_table("ff_factors_monthly"), find_table("ff_industries_10_monthly")
MISSING = {Decimal("-99.99"), Decimal(-999)}


def _naive(path: Path) -> list[dict[tuple[str, str], Decimal | None]]:
    """The monthly tables of a file, by month and header: a header row has an empty first cell."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode("latin-1")
    tables: list[dict[tuple[str, str], Decimal | None]] = []
    header: list[str] = []
    for row in csv.reader(io.StringIO(text)):
        if len(row) > 1 and not row[0]:
            header = [cell.strip() for cell in row[1:]]
            tables.append({})
        elif header and len(row) == len(header) + 1 and len(row[0].strip()) == 6:
            values = (Decimal(cell.strip()) for cell in row[1:])
            cells = zip(header, values, strict=True)
            tables[-1] |= {(row[0].strip(), name): None if value in MISSING else value for name, value in cells}
    return [table for table in tables if table]


def _month_end(month: str) -> dt.date:
    year, number = int(month[:4]), int(month[4:])
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def test_every_number_of_the_ten_industries_is_in_the_table(shared_data: Path) -> None:
    folder = shared_data / "ken_french" / "202302"
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        assert source.fingerprint(INDUSTRIES, "all").details["vintage 10_Industry_Portfolios_CSV.zip"] == "202302"
        rows = pa.Table.from_batches(source.extract(INDUSTRIES, "all")).to_pylist()

    value, equal, firms, size = _naive(folder / "10_Industry_Portfolios_CSV.zip")
    expected = [
        (
            _month_end(month),
            name,
            weighting,
            None if (percent := returns[month, name]) is None else float(percent / 100),
            None if (count := firms[month, name]) is None else int(count),
            None if (average := size[month, name]) is None else float(average),
        )
        for month, name in sorted(value)
        for weighting, returns in (("ew", equal), ("vw", value))
    ]
    assert len(expected) == 2 * 10 * 1160
    assert [tuple(row.values()) for row in rows] == expected
    assert source.warnings == []
    durables = next(row for row in rows if (row["industry"], row["weighting"]) == ("Durbl", "vw"))
    assert (durables["date"], durables["ret"], durables["n_firms"]) == (dt.date(1926, 7, 31), 0.1555, 37)


def test_every_month_of_the_three_factor_file_is_in_the_table_and_no_year(shared_data: Path, tmp_path: Path) -> None:
    name = "F-F_Research_Data_Factors_CSV.zip"
    (tmp_path / name).symlink_to(shared_data / "ken_french" / "202509" / name)
    (tmp_path / "F-F_Momentum_Factor_CSV.zip").write_bytes(zip_of(text_of(",Mom", "202509, 1.00")))
    five = text_of(",Mkt-RF,SMB,HML,RMW,CMA,RF", "202509,  3.39,  -1.00,  -1.05,  -2.03,  -2.22,   0.33")
    (tmp_path / "F-F_Research_Data_5_Factors_2x3_CSV.zip").write_bytes(zip_of(five))
    with serve_folder(tmp_path) as url, open_ken_french("ken_french", url) as source:
        rows = pa.Table.from_batches(source.extract(FACTORS, "all")).to_pylist()

    (months,) = _naive(tmp_path / name)
    keys = sorted({month for month, _ in months})
    assert len(keys) == 1191
    assert [row["date"] for row in rows] == [_month_end(month) for month in keys]
    for column, header in {"mktrf": "Mkt-RF", "smb": "SMB", "hml": "HML", "rf": "RF"}.items():
        percents = [months[month, header] for month in keys]
        assert [row[column] for row in rows] == [None if value is None else float(value / 100) for value in percents]
    assert (rows[0]["mktrf"], rows[-1]["smb_ff5"], source.warnings) == (0.0289, -0.01, [])
