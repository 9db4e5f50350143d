"""The catalog holds together: declarations, SQL files and names agree."""

from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa
import pytest

from data_platform.catalog import (
    DATASETS,
    TABLES,
    KenFrenchPortfolios,
    KenFrenchSite,
    Table,
    WrdsQuery,
    find_dataset,
    find_table,
)
from data_platform.catalog.dtypes import arrow_type
from data_platform.errors import UsageError
from data_platform.settings import PROJECT_ROOT

INDUSTRIES = ("ff_industries_10", "ff_industries_30", "ff_industries_49")
EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


@EVERY_TABLE
def test_key_and_date_column_are_declared_and_never_null(table: Table) -> None:
    for name in {*table.key, table.date_column}:
        assert not table.column(name).nullable


@EVERY_TABLE
def test_columns_are_named_once_and_described(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert all(column.description.endswith(".") for column in table.columns)
    assert table.arrow_schema.names == names


@EVERY_TABLE
def test_the_table_belongs_to_its_dataset(table: Table) -> None:
    assert table in DATASETS[table.dataset].tables


@EVERY_TABLE
def test_a_wrds_query_selects_the_columns_in_the_catalogs_order(table: Table) -> None:
    if not isinstance(table.origin, WrdsQuery):
        assert isinstance(table.origin, KenFrenchSite | KenFrenchPortfolios)
        return
    text = (PROJECT_ROOT / "sql" / "extract" / table.origin.sql).read_text()
    spoken = re.sub(r"--.*", "", text)
    select = spoken.partition("SELECT")[2].partition("FROM")[0]
    pairs = [part.split() for part in select.split(",")]
    assert [words[-1] for words in pairs] == [column.name for column in table.columns]
    assert [words[0] for words in pairs] == [column.source for column in table.columns]
    assert "%(start)s" in text
    assert "%(end)s" in text
    assert f"FROM {table.origin.relation}" in text
    # The transport adds the key's order; here it would make every fingerprint sort too.
    assert "ORDER BY" not in spoken.upper()


@EVERY_TABLE
def test_factor_columns_come_from_declared_headers(table: Table) -> None:
    if isinstance(table.origin, KenFrenchSite):
        filled = [column for file in table.origin.files for column in file.columns.values()]
        assert sorted(filled) == sorted(column.name for column in table.columns if column.name != "date")


def test_the_tables_of_fama_french_come_from_files_of_their_own_frequency() -> None:
    files: dict[str, list[str]] = {}
    for table in DATASETS["fama_french"].tables:
        origin = table.origin
        assert isinstance(origin, KenFrenchSite | KenFrenchPortfolios)
        assert table.name.endswith(f"_{origin.frequency}")
        assert table.calendar == {"daily": "XNYS", "monthly": "month_end"}[origin.frequency]
        names = [origin.file] if isinstance(origin, KenFrenchPortfolios) else [file.name for file in origin.files]
        assert {"_daily_" in name for name in names} == {origin.frequency == "daily"}
        files[table.name] = names
    assert sorted(files) == sorted(
        [f"{kind}_{frequency}" for frequency in ("daily", "monthly") for kind in ("ff_factors", *INDUSTRIES)]
    )
    assert files["ff_industries_49_daily"] == ["49_Industry_Portfolios_daily_CSV.zip"]
    assert files["ff_factors_monthly"] == [
        "F-F_Research_Data_Factors_CSV.zip",
        "F-F_Momentum_Factor_CSV.zip",
        "F-F_Research_Data_5_Factors_2x3_CSV.zip",
    ]


@pytest.mark.parametrize("name", INDUSTRIES)
def test_industries_are_long_and_only_months_know_firms(name: str) -> None:
    daily, monthly = (find_table(f"{name}_{frequency}") for frequency in ("daily", "monthly"))

    assert daily.key == monthly.key == ("date", "industry", "weighting")
    assert daily.arrow_schema.names == ["date", "industry", "weighting", "ret"]
    assert monthly.arrow_schema.names == ["date", "industry", "weighting", "ret", "n_firms", "avg_firm_size"]
    assert monthly.arrow_schema.field("n_firms").type == pa.int64()
    assert (monthly.column("ret").unit, monthly.column("avg_firm_size").unit) == ("decimal", "million USD")
    assert "million USD" in monthly.column("avg_firm_size").description
    assert isinstance(monthly.origin, KenFrenchPortfolios)
    assert str(monthly.origin.count) in name


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("int64", pa.int64()),
        ("INT8", pa.int8()),
        ("Float32", pa.float32()),
        ("utf8", pa.string()),
        ("str", pa.string()),
        ("STRING", pa.string()),
        ("bool", pa.bool_()),
        ("date", pa.date32()),
        ("datetime[us]", pa.timestamp("us")),
        ("datetime[NS]", pa.timestamp("ns")),
        ("datetime[ms]", pa.timestamp("ms")),
    ],
)
def test_type_aliases(alias: str, expected: pa.DataType) -> None:
    assert arrow_type(alias) == expected


@pytest.mark.parametrize("alias", ["int128", "", "datetime", "object"])
def test_an_unknown_type_is_an_error(alias: str) -> None:
    with pytest.raises(UsageError, match="Unknown column type"):
        arrow_type(alias)


def test_unknown_names_suggest_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean crsp_daily"):
        find_table("crsp_dayly")
    with pytest.raises(UsageError, match="Known: crsp, fama_french"):
        find_dataset("nope")


@pytest.mark.parametrize("partition", ["", "24", "20240", "abcd", "2o24", "٢٠٢٤", "1700", "-999", "all"])
def test_malformed_years_are_no_partitions(partition: str) -> None:
    with pytest.raises(UsageError, match="is no partition of crsp_daily"):
        find_table("crsp_daily").partition_range(partition)


def test_partition_ranges() -> None:
    assert find_table("crsp_daily").partition_range("2024") == (dt.date(2024, 1, 1), dt.date(2025, 1, 1))
    assert find_table("ff_factors_daily").partition_range("all") is None
    with pytest.raises(UsageError, match="is not partitioned"):
        find_table("ff_factors_daily").partition_range("2024")
