"""From a served folder to batches: joining, units, missing codes, fingerprints, evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.catalog import KenFrenchFile, Partitioning, Table, find_table
from data_platform.errors import SourceError, UsageError
from data_platform.sources import UnusableData
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.sources.declarations import site_table, with_dtype
from data_platform_tests.sources.library_files import (
    FIVE,
    MOMENTUM,
    THREE,
    good_files,
    misbehaving_server,
    send,
    text_of,
    zip_of,
)

FACTORS = find_table("ff_factors_daily")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in good_files().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def _read(folder: Path, table: Table = FACTORS, partition: str = "all") -> tuple[pa.Table, list[str]]:
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        rows = pa.Table.from_batches(source.extract(table, partition), schema=table.arrow_schema)
        return rows, source.warnings


def _fingerprint(folder: Path, table: Table = FACTORS) -> str:
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        return source.fingerprint(table, "all").value


def test_files_are_joined_on_their_dates_as_decimals_with_missing_as_null(folder: Path) -> None:
    rows, warnings = _read(folder)

    names = ["date", "mktrf", "smb", "hml", "rf", "umd", "smb_ff5", "rmw", "cma"]
    expected = [
        (dt.date(2024, 7, 1), 0.001, -0.0025, -0.0027, 0.00009, None, None, None, None),
        (dt.date(2024, 7, 2), 0.0048, -0.0005, -0.0068, -0.00021, 0.0056, -0.003, 0.0003, 0.0013),
        (dt.date(2024, 7, 3), 0.01, 0.0, None, 0.00021, None, 0.0007, -0.0004, 0.0058),
        (dt.date(2024, 7, 5), -0.0152, -0.0035, -0.0132, 0.00021, None, -0.0097, 0.0044, 0.0143),
        (dt.date(2024, 7, 8), None, None, None, None, 0.03, None, None, None),
    ]
    assert rows.schema.equals(FACTORS.arrow_schema)
    assert rows.to_pylist() == [dict(zip(names, row, strict=True)) for row in expected]
    assert warnings == []


def test_headers_match_whatever_their_case_and_blanks(folder: Path) -> None:
    (folder / MOMENTUM).write_bytes(zip_of(text_of(",  M O M ", "20240702, 0.56")))

    rows, _ = _read(folder)

    assert rows["umd"].to_pylist() == [None, 0.0056, None, None]


def test_a_repeat_that_differs_beyond_rounding_is_a_warning_with_its_first_date(folder: Path) -> None:
    lines = (
        ",Mkt-RF,SMB,HML,RMW,CMA,RF",
        "20240701, 0.11, 1, -0.27, 1, 1, 0.009",
        "20240702, 0.50, 1, -0.68, 1, 1, -0.021",
        "20240703, 2.00, 1,  5.00, 1, 1, -99.99",
    )
    (folder / FIVE).write_bytes(zip_of(text_of(*lines)))

    rows, warnings = _read(folder)

    assert warnings == [
        f"{FIVE}: its Mkt-RF differs from mktrf beyond rounding on 2 of 3 days, first on 2024-07-02; mktrf was kept."
    ]
    assert rows["mktrf"].to_pylist()[:3] == [0.001, 0.0048, 0.01]


def test_a_column_that_the_catalog_does_not_know_is_left_out_with_a_warning(folder: Path) -> None:
    (folder / MOMENTUM).write_bytes(zip_of(text_of(",Mom,Rev", "20240702, 0.56, 7")))

    _, warnings = _read(folder)

    assert warnings == [f"{MOMENTUM}: columns that the catalog does not declare were left out: Rev."]


def test_the_first_daily_table_of_a_file_counts(tmp_path: Path) -> None:
    text = text_of(
        "Monthly",
        ",A",
        "202401, 9",
        "",
        "Value Weighted -- Daily",
        ",A",
        "20240102, 1",
        "",
        "Equal Weighted -- Daily",
        ",A",
        "20240102, 2",
    )
    (tmp_path / "A.zip").write_bytes(zip_of(text))

    rows, _ = _read(tmp_path, site_table(KenFrenchFile("A.zip", {"A": "a"}), columns=("a",)))

    assert rows["a"].to_pylist() == [0.01]


def test_a_table_cut_by_year_yields_the_years_rows_only(tmp_path: Path) -> None:
    lines = (",A", "20221230, 1", "20230103, 2", "20231229, 3", "20240102, 4")
    (tmp_path / "A.zip").write_bytes(zip_of(text_of(*lines)))
    table = site_table(KenFrenchFile("A.zip", {"A": "a"}), columns=("a",), partitioning=Partitioning.YEAR)

    rows, _ = _read(tmp_path, table, "2023")

    assert rows["a"].to_pylist() == [0.02, 0.03]


def _renamed() -> bytes:
    return zip_of(text_of(",Market,SMB,HML,RF", "20240701, 1, 1, 1, 1"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (THREE, _renamed(), "has no column Mkt-RF: expected Mkt-RF, SMB, HML, RF; found Market, SMB, HML, RF"),
        (FIVE, zip_of(text_of(",Mkt-RF,SMB,HML,RMW,CMA", "20240701, 1, 1, 1, 1, 1")), "has no column RF"),
        (MOMENTUM, zip_of(text_of(",Mom, MOM", "20240701, 1, 1")), "has two columns Mom"),
        (MOMENTUM, zip_of(text_of("Words.", "", ",Mom", "", "Copyright")), "holds an empty table"),
        (MOMENTUM, zip_of(text_of("Words.")), "holds no table"),
        (MOMENTUM, zip_of(text_of(",Mom", "202407, 1")), "holds no daily table"),
        (
            MOMENTUM,
            zip_of(text_of(",Mom", "20240701, 1", "20240702")),
            "is malformed in line 3: 0 values for 1 columns",
        ),
    ],
    ids=["renamed", "repeat gone", "ambiguous", "empty", "no table", "monthly", "malformed"],
)
def test_a_whole_file_that_is_not_as_declared_is_kept_as_evidence(
    folder: Path, name: str, content: bytes, words: str
) -> None:
    (folder / name).write_bytes(content)

    with pytest.raises(UnusableData) as caught:
        _read(folder)

    error = caught.value
    assert error.message.startswith(f"ff_factors_daily all: {name} ")
    assert words in error.message
    assert (error.evidence_name, error.evidence, error.exit_code) == (name, content, 6)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "is missing on the server 127.0.0.1 (HTTP 404)"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "is damaged or incomplete"),
        (lambda path: path.write_text("<html>Moved</html>"), "is a web page"),
    ],
    ids=["missing", "truncated", "web page"],
)
def test_a_file_that_did_not_arrive_is_a_source_error(
    folder: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(folder / MOMENTUM)

    with pytest.raises(SourceError, match=f"ff_factors_daily all: {MOMENTUM} ") as caught:
        _read(folder)
    assert words in caught.value.message
    with pytest.raises(SourceError):
        _fingerprint(folder)


def test_the_fingerprint_is_of_the_content_not_of_the_zip(folder: Path) -> None:
    before = _fingerprint(folder)
    text = text_of(",Mom", "20240702, 0.56")
    (folder / MOMENTUM).write_bytes(zip_of(text))
    changed = _fingerprint(folder)
    (folder / MOMENTUM).write_bytes(zip_of(text, member="other.csv", method=0))
    zipped_again = _fingerprint(folder)

    assert before != changed
    assert changed == zipped_again


def test_another_declaration_is_another_fingerprint(folder: Path) -> None:
    assert _fingerprint(folder, with_dtype(FACTORS, "umd", "float32")) != _fingerprint(folder)


def test_fingerprint_and_extraction_share_one_download() -> None:
    files = good_files()
    with (
        misbehaving_server(lambda handler, _: send(handler, files[handler.path[1:]])) as (url, asked),
        open_ken_french("ken_french", url) as source,
    ):
        fingerprint = source.fingerprint(FACTORS, "all")
        assert sum(batch.num_rows for batch in source.extract(FACTORS, "all")) == 5

    assert len(asked) == 3
    assert source.bytes_received == sum(len(content) for content in files.values())
    assert fingerprint.details[f"vintage {THREE}"] == "202407"
    assert fingerprint.details[f"vintage {FIVE}"] == "not stated"
    assert (fingerprint.row_count, fingerprint.query_hash) == (None, None)


def test_a_partition_that_the_table_does_not_have_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="not partitioned"):
        _read(folder, FACTORS, "2024")
