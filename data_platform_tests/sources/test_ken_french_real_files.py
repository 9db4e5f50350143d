"""The data library's own files, where they lie beside the project: read as an independent, naive reader reads them."""

from __future__ import annotations

import datetime as dt
import io
import math
import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.catalog import find_table
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.parsing import Frequency, decode, parse_tables, vintage
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.sources.library_files import FIVE, MOMENTUM, THREE

FACTORS = find_table("ff_factors_daily")


def _naive(path: Path) -> dict[str, dict[str, Decimal | None]]:
    """Rows by date and header, found by nothing but eight digits at the beginning of a line."""
    with zipfile.ZipFile(path) as archive:
        text = io.TextIOWrapper(archive.open(archive.namelist()[0]), encoding="latin-1").read()
    lines = text.splitlines()
    header = next(line for line in lines if line.startswith(",")).split(",")[1:]
    rows: dict[str, dict[str, Decimal | None]] = {}
    for line in lines:
        cells = line.split(",")
        if len(cells[0].strip()) == 8 and cells[0].strip().isdigit():
            values = [Decimal(cell.strip()) for cell in cells[1:]]
            rows[cells[0].strip()] = {
                name.strip(): None if value in {Decimal("-99.99"), Decimal(-999)} else value / 100
                for name, value in zip(header, values, strict=True)
            }
    return rows


def _served(shared_data: Path, tmp_path: Path, three_vintage: str) -> Path:
    library = shared_data / "ken_french"
    for vintage_of_file, name in ((three_vintage, THREE), ("202407", MOMENTUM), ("202407", FIVE)):
        (tmp_path / name).symlink_to(library / vintage_of_file / name)
    return tmp_path


@pytest.mark.parametrize("three_vintage", ["202406", "202407"])
def test_every_number_of_the_three_files_is_in_the_table(shared_data: Path, tmp_path: Path, three_vintage: str) -> None:
    folder = _served(shared_data, tmp_path, three_vintage)
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        fingerprint = source.fingerprint(FACTORS, "all")
        rows = pa.Table.from_batches(source.extract(FACTORS, "all"))

    sources = {
        "mktrf": (THREE, "Mkt-RF"),
        "smb": (THREE, "SMB"),
        "hml": (THREE, "HML"),
        "rf": (THREE, "RF"),
        "umd": (MOMENTUM, "Mom"),
        "smb_ff5": (FIVE, "SMB"),
        "rmw": (FIVE, "RMW"),
        "cma": (FIVE, "CMA"),
    }
    naive = {name: _naive(folder / name) for name in (THREE, MOMENTUM, FIVE)}
    days = sorted(set().union(*naive.values()))
    assert [day.strftime("%Y%m%d") for day in rows["date"].to_pylist()] == days
    for column, (file, header) in sources.items():
        expected = [value for day in days if (value := naive[file].get(day, {}).get(header)) is not None]
        found = [value for value in rows[column].to_pylist() if value is not None]
        assert found == [float(value) for value in expected]
        assert math.isclose(math.fsum(found), float(sum(expected)), abs_tol=1e-9)
    assert fingerprint.details[f"vintage {THREE}"] == three_vintage


def test_known_figures(shared_data: Path) -> None:
    with serve_folder(shared_data / "ken_french" / "202407") as url, open_ken_french("ken_french", url) as source:
        rows = {row["date"]: row for batch in source.extract(FACTORS, "all") for row in batch.to_pylist()}

    assert rows[dt.date(1926, 11, 3)]["umd"] == 0.0056
    assert rows[dt.date(2024, 7, 3)]["smb"] == -0.0005
    assert rows[dt.date(2024, 7, 3)]["smb_ff5"] == -0.003
    assert min(rows) == dt.date(1926, 7, 1)
    assert max(rows) == dt.date(2024, 7, 31)
    assert rows[dt.date(1926, 7, 1)]["umd"] is None


def test_two_vintages_have_two_fingerprints(shared_data: Path, tmp_path: Path) -> None:
    values: set[str] = set()
    for three_vintage in ("202406", "202407"):
        folder = tmp_path / three_vintage
        folder.mkdir()
        _served(shared_data, folder, three_vintage)
        with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
            values.add(source.fingerprint(FACTORS, "all").value)

    assert len(values) == 2


def test_eight_captioned_tables_are_found(shared_data: Path) -> None:
    path = shared_data / "ken_french" / "202302" / "10_Industry_Portfolios_CSV.zip"
    with zipfile.ZipFile(path) as archive:
        text = decode(archive.read(archive.namelist()[0]))

    tables = parse_tables(text)

    assert vintage(text) == "202302"
    assert [table.frequency for table in tables].count(Frequency.MONTHLY) == 4
    assert [table.frequency for table in tables].count(Frequency.ANNUAL) == 4
    assert tables[4].caption == "Number of Firms in Portfolios"
    assert tables[7].header[7] == "Hlth"
    assert [len(table.keys) for table in tables] == [1160, 1160, 96, 96, 1160, 1160, 97, 97]
