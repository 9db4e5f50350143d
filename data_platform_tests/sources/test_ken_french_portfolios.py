"""Files of industries: captioned tables in any order become one long table, or the file is not what was declared."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.catalog import KenFrenchPortfolios, Partitioning, Table, find_table
from data_platform.sources import UnusableData
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.sources.library_files import text_of, zip_of

FILE = "2_Industry_Portfolios_CSV.zip"
JUNE, JULY = dt.date(2024, 6, 30), dt.date(2024, 7, 31)

VALUE = (
    "  Average Value Weighted Returns -- Monthly",
    ",Food ,Hlth ",
    "202406, 1.50,-99.99",
    "202407, -2.25, 0.56",
    "",
)
EQUAL = ("  Average Equal Weighted Returns -- Monthly", ",Food ,Hlth ", "202406, 1.00, -999", "202407,-2.00, 0.25", "")
FIRMS = ("  Number of Firms in Portfolios", ",Food ,Hlth ", "202406,   12,      0", "202407,     13,      1", "")
SIZE = ("  Average Firm Size", ",Food ,Hlth ", "202406,  1234.56, -99.99", "202407,  1300.00,   88.10", "")
ANNUAL = (
    *("  Average Value Weighted Returns -- Annual", ",Food ,Hlth ", "  2023,  9.00,  8.00", ""),
    *("  Average Equal Weighted Returns -- Annual", ",Food ,Hlth ", "  2023,  7.00,  6.00", ""),
)
RATIOS = (
    *("  Sum of BE / Sum of ME", ",Food ,Hlth ", "  2023,  0.70,  0.60", ""),
    *("  Value-Weighted Average of BE/ME", ",Food ,Hlth ", "202406,  0.70,  0.60", ""),
    *("  Value Weighted Average of Prior Returns", ",Food ,Hlth ", "202406,  0.70,  0.60", ""),
)
EXPECTED = [
    (JUNE, "Food", "ew", 0.01, 12, 1234.56),
    (JUNE, "Food", "vw", 0.015, 12, 1234.56),
    (JUNE, "Hlth", "ew", None, 0, None),
    (JUNE, "Hlth", "vw", None, 0, None),
    (JULY, "Food", "ew", -0.02, 13, 1300.0),
    (JULY, "Food", "vw", -0.0225, 13, 1300.0),
    (JULY, "Hlth", "ew", 0.0025, 1, 88.1),
    (JULY, "Hlth", "vw", 0.0056, 1, 88.1),
]


def _two(like: str = "ff_industries_10_monthly") -> Table:
    """A declared table, for a file of two industries."""
    table = find_table(like)
    assert isinstance(table.origin, KenFrenchPortfolios)
    return dataclasses.replace(table, origin=dataclasses.replace(table.origin, file=FILE, count=2))


def _read(
    folder: Path, *lines: str, table: Table | None = None, partition: str = "all"
) -> tuple[list[tuple[object, ...]], list[str]]:
    table = table or _two()
    (folder / FILE).write_bytes(zip_of(text_of(*lines)))
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        rows = pa.Table.from_batches(source.extract(table, partition), schema=table.arrow_schema)
        return [tuple(row.values()) for row in rows.to_pylist()], source.warnings


def _captioned(caption: str, block: tuple[str, ...]) -> tuple[str, ...]:
    return (caption, *block[1:])


@pytest.mark.parametrize(
    "lines",
    [
        ("Made using the 202407 CRSP database.", "", *VALUE, *EQUAL, *ANNUAL, *FIRMS, *SIZE, *RATIOS, "Copyright 2024"),
        (*VALUE, *EQUAL, *FIRMS, *SIZE),
        ("Words.", "", *SIZE, *RATIOS, *FIRMS, *ANNUAL, *EQUAL, *VALUE),
        ("It contains value- and equal-weighted returns.", *VALUE, *EQUAL, *FIRMS, *SIZE),
        (
            *_captioned("Value Weight Returns", VALUE),
            *_captioned("Equally-Weighted Returns -- Monthly", EQUAL),
            *_captioned("Number of Firms", FIRMS),
            *_captioned("Average Market Cap", SIZE),
        ),
        (*VALUE, EQUAL[0], ", Hlth,FOOD", "202406, -999, 1.00", "202407, 0.25, -2.00", "", *FIRMS, *SIZE),
    ],
    ids=["everything", "no preamble", "another order", "preamble above", "other spellings", "columns swapped"],
)
def test_every_allowed_file_gives_the_same_rows(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert _read(tmp_path, *lines) == (EXPECTED, [])


def test_daily_files_have_returns_alone(tmp_path: Path) -> None:
    lines = (
        *("  Average Value Weighted Returns -- Daily", ",Food ,Hlth ", "20240701, 0.10, 0.20", ""),
        *("  Average Equal Weighted Returns -- Daily", ",Food ,Hlth ", "20240701, 0.30, -99.990", ""),
    )

    rows, warnings = _read(tmp_path, *lines, table=_two("ff_industries_49_daily"))

    day = dt.date(2024, 7, 1)
    assert rows[:2] == [(day, "Food", "ew", 0.003), (day, "Food", "vw", 0.001)]
    assert rows[2:] == [(day, "Hlth", "ew", None), (day, "Hlth", "vw", 0.002)]
    assert warnings == []


def test_what_one_table_lacks_is_null_and_said(tmp_path: Path) -> None:
    lines = (*VALUE, *EQUAL[:3], "", *FIRMS[:2], "202407, 13, 1", "202408, 14, 2", "", *SIZE)

    rows, warnings = _read(tmp_path, *lines)

    shorter = {(JUNE, "Food"): None, (JUNE, "Hlth"): None, (JULY, "Food"): 13, (JULY, "Hlth"): 1}
    assert rows == [
        (day, name, weighting, None if (day, weighting) == (JULY, "ew") else ret, shorter[day, name], size)
        for day, name, weighting, ret, _, size in EXPECTED
    ]
    assert [warning.partition(";")[0] for warning in warnings] == [
        f"{FILE}: its table of equal-weighted returns is not of the same dates as the others, first on 2024-07-31",
        f"{FILE}: its table of the number of firms is not of the same dates as the others, first on 2024-06-30",
    ]


def test_a_table_cut_by_year_yields_the_years_rows_only(tmp_path: Path) -> None:
    returns = (",Food ,Hlth ", "202312, 1, 2", "202401, 3, 4", "202412, 5, 6", "202501, 7, 8", "")
    lines = [line for block in (VALUE, EQUAL, FIRMS, SIZE) for line in (block[0], *returns)]
    table = dataclasses.replace(_two(), partitioning=Partitioning.YEAR)

    rows, _ = _read(tmp_path, *lines, table=table, partition="2024")

    assert sorted({row[0] for row in rows}) == [dt.date(2024, 1, 31), dt.date(2024, 12, 31)]
    assert len(rows) == 8


def _headed(block: tuple[str, ...], header: str) -> tuple[str, ...]:
    return (block[0], header, *block[2:])


THREE_OF_THEM = tuple(
    line
    for block in (VALUE, EQUAL, FIRMS, SIZE)
    for line in (block[0], ",Food,Hlth,Other", "202406, 1, 2, 3", "202407, 4, 5, 6", "")
)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((*EQUAL, *FIRMS, *SIZE, *ANNUAL), "holds no monthly table of value-weighted returns; found: "),
        ((*VALUE, *FIRMS, *SIZE, *ANNUAL), "holds no monthly table of equal-weighted returns; found: "),
        ((*VALUE, *EQUAL, *SIZE), "holds no monthly table of the number of firms"),
        ((*VALUE, *EQUAL, *FIRMS), "holds no monthly table of average firm size"),
        ((*_captioned("Returns", VALUE), *EQUAL, *FIRMS, *SIZE), "holds no monthly table of value-weighted returns"),
        ((*VALUE[:2], "", *EQUAL, *FIRMS, *SIZE), "Average Value Weighted Returns -- Monthly (empty)"),
        ((*VALUE, *EQUAL, *FIRMS, *SIZE, *VALUE), "holds 2 monthly tables of value-weighted returns"),
        ((*VALUE, *EQUAL, *FIRMS, *SIZE, *_captioned("Average Market Cap", SIZE)), "holds 2 monthly tables of average"),
        ((*VALUE, *_headed(EQUAL, ",Food,Drugs"), *FIRMS, *SIZE), "has other industries in its table of equal"),
        ((*VALUE, *EQUAL, *_headed(FIRMS, ",Food,Drugs"), *SIZE), "drugs, hlth differ"),
        ((*_headed(VALUE, ",Food,Food"), *EQUAL, *FIRMS, *SIZE), "names 'Food' twice in its table of value-weighted"),
        ((*VALUE, *_headed(EQUAL, ",,Food"), *FIRMS, *SIZE), "has a column without a name in its table of equal"),
        (THREE_OF_THEM, "holds 3 industries, not 2: Food, Hlth, Other"),
        ((*VALUE, *EQUAL, *FIRMS[:2], "202406, 1.5, 2", "", *SIZE), "holds fractions in its table of the number of"),
        (("Words.",), "holds no table"),
        ((*VALUE, *EQUAL[:3], "202407, 1"), "is malformed in line"),
    ],
)
def test_a_file_that_is_not_as_declared_is_one_clear_error_with_its_evidence(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UnusableData) as caught:
        _read(tmp_path, *lines)

    assert caught.value.message.startswith(f"ff_industries_10_monthly all: {FILE} ")
    assert words in caught.value.message
    assert (caught.value.evidence_name, caught.value.exit_code) == (FILE, 6)
    assert caught.value.evidence == (tmp_path / FILE).read_bytes()


def test_daily_and_monthly_tables_of_one_file_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    daily = ("  Average Value Weighted Returns", ",Food ,Hlth ", "20240701, 9, 9", "")

    rows, _ = _read(tmp_path, *daily, *VALUE, *EQUAL, *FIRMS, *SIZE)

    assert rows == EXPECTED


def test_the_fingerprint_names_the_file_and_its_vintage(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(zip_of(text_of("Made using the 202407 CRSP database.", "", *VALUE)))

    with serve_folder(tmp_path) as url, open_ken_french("ken_french", url) as source:
        fingerprint = source.fingerprint(_two(), "all")

    assert fingerprint.details[f"vintage {FILE}"] == "202407"
    assert set(fingerprint.details) == {"declaration_hash", f"sha256 {FILE}", f"vintage {FILE}"}
