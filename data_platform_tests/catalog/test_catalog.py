"""The catalog holds together: declarations, SQL files and names agree."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pyarrow as pa
import pytest
import sqlglot

from data_platform.catalog import (
    DATASETS,
    TABLES,
    KenFrenchPortfolios,
    KenFrenchSite,
    Partitioning,
    Table,
    WrdsQuery,
    find_dataset,
    find_table,
)
from data_platform.catalog.dtypes import arrow_type
from data_platform.errors import NotFoundError, UsageError
from data_platform.settings import PROJECT_ROOT

INDUSTRIES = ("ff_industries_10", "ff_industries_30", "ff_industries_49")
EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


OPEN_KEYS = {"ccm_links": {"liid", "linkprim", "linktype", "lpermno"}, "compustat_quarterly": {"fyearq", "fqtr"}}
"""The parts of a key that the source may leave open."""


@EVERY_TABLE
def test_key_and_date_column_are_declared_and_never_null_but_where_the_source_leaves_them_open(table: Table) -> None:
    dates = [] if table.date_column is None else [table.date_column]
    nullable = {name for name in (*table.key, *dates) if table.column(name).nullable}
    assert nullable == OPEN_KEYS.get(table.name, set())
    assert not table.column(table.key[0]).nullable


@EVERY_TABLE
def test_yearly_tables_are_cut_on_their_date_and_a_calendar_needs_dates(table: Table) -> None:
    if table.partitioning is Partitioning.YEAR:
        assert table.date_column in table.key
        assert isinstance(table.origin, WrdsQuery)
        assert table.origin.date_column == table.column(str(table.date_column)).source
    if table.calendar is not None:
        assert table.date_column in table.key


@EVERY_TABLE
def test_columns_are_named_once_and_described(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert all(column.description.endswith(".") for column in table.columns)
    assert table.arrow_schema.names == names


@EVERY_TABLE
def test_the_table_belongs_to_its_dataset(table: Table) -> None:
    assert table in DATASETS[table.dataset].tables


QUERIES = [
    (table, origin)
    for table in TABLES.values()
    for origin in (
        (table.origin, table.origin.siz)
        if isinstance(table.origin, WrdsQuery)
        else (getattr(table.origin, "wrds", None),)
    )
    if origin is not None
]
EVERY_QUERY = pytest.mark.parametrize(("table", "origin"), QUERIES, ids=[origin.sql for _, origin in QUERIES])


@EVERY_QUERY
def test_a_wrds_query_selects_the_columns_in_the_catalogs_order(table: Table, origin: WrdsQuery) -> None:
    selected = _selected(origin)
    assert [name for _, name in selected] == [column.name for column in table.columns]
    if origin.siz is None and (table.in_siz is not table or table.on_wrds is not None):
        return  # The older format and the copy are other relations; a column's source speaks of the first.
    for (expression, _), column in zip(selected, table.columns, strict=True):
        plain = re.fullmatch(r"(?:\w+\.)?(\w+)", expression)
        assert (plain.group(1) if plain else column.source) == column.source.rpartition(": ")[2]


@EVERY_QUERY
def test_a_wrds_query_takes_the_range_of_its_partition_and_leaves_the_order_to_the_transport(
    table: Table, origin: WrdsQuery
) -> None:
    text = _spoken(origin)
    for parameter in ("%(start)s", "%(end)s"):
        assert (parameter in text) == (table.partitioning is Partitioning.YEAR)
    assert re.search(rf"FROM {re.escape(origin.relation)}\b", text)
    # The transport adds the key's order; here it would make every fingerprint sort too.
    outside_windows = re.sub(r"OVER \([^)]*\)", "", text, flags=re.IGNORECASE)
    assert "ORDER BY" not in outside_windows.upper()
    assert text.count("%") == text.count("%(")


def test_every_query_in_the_folder_belongs_to_a_table() -> None:
    folder = PROJECT_ROOT / "sql" / "extract"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.sql")} == {origin.sql for _, origin in QUERIES}


@EVERY_TABLE
def test_another_declaration_of_a_table_differs_in_nothing_but_where_rows_come_from(table: Table) -> None:
    for other in (table.in_siz, table.on_wrds or table):
        assert dataclasses.replace(other, origin=table.origin) == table


def test_the_older_format_had_four_of_the_tables_and_wrds_copies_the_factors() -> None:
    assert {table.name for table in TABLES.values() if table.in_siz is not table} == {
        "crsp_daily",
        "crsp_monthly",
        "crsp_delistings",
        "crsp_names",
    }
    assert {table.name for table in TABLES.values() if table.on_wrds} == {"ff_factors_daily", "ff_factors_monthly"}


def _spoken(origin: WrdsQuery) -> str:
    return re.sub(r"--.*", "", (PROJECT_ROOT / "sql" / "extract" / origin.sql).read_text())


def _selected(origin: WrdsQuery) -> list[tuple[str, str]]:
    """The expressions of the outermost select list, and the names they get."""
    tree = sqlglot.parse_one(re.sub(r"%\(\w+\)s", "'2024-01-01'", _spoken(origin)), dialect="postgres")
    return [
        (each.this.sql("postgres") if isinstance(each, sqlglot.exp.Alias) else each.sql("postgres"), each.alias_or_name)
        for each in tree.selects
    ]


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
    with pytest.raises(UsageError, match="Known: compustat, crsp, fama_french"):
        find_dataset("nope")


def test_a_table_that_is_taken_for_a_dataset_and_the_other_way_round() -> None:
    with pytest.raises(NotFoundError) as table:
        find_dataset("crsp_daily")
    assert (table.value.message, table.value.hint) == (
        "Unknown dataset 'crsp_daily'.",
        "crsp_daily is a table of crsp.",
    )
    with pytest.raises(NotFoundError) as dataset:
        find_table("fama_french")
    assert dataset.value.hint is not None
    assert dataset.value.hint.startswith("fama_french is a dataset; its tables: ff_factors_daily, ")


@pytest.mark.parametrize("partition", ["", "24", "20240", "abcd", "2o24", "٢٠٢٤", "1700", "-999", "all"])
def test_malformed_years_are_no_partitions(partition: str) -> None:
    with pytest.raises(UsageError, match="is no partition of crsp_daily"):
        find_table("crsp_daily").partition_range(partition)


def test_partition_ranges() -> None:
    assert find_table("crsp_daily").partition_range("2024") == (dt.date(2024, 1, 1), dt.date(2025, 1, 1))
    assert find_table("ff_factors_daily").partition_range("all") is None
    with pytest.raises(UsageError, match="is not partitioned"):
        find_table("ff_factors_daily").partition_range("2024")
