"""The data library's own files keep the rules of their tables, over a hundred years; in percent they would not."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from data_platform.catalog import Table, find_table
from data_platform.catalog.rules import Severity
from data_platform.quality import Judgement
from data_platform.sources.demo.site import serve_folder
from data_platform.sources.ken_french.source import open_ken_french
from data_platform_tests.quality.contracts.judged import judged

FILES = {"ff_factors_daily": "202407", "ff_industries_10_monthly": "202302"}
"""The tables whose files are there, and the vintage of these."""


def _rows(table: Table, shared_data: Path) -> pl.DataFrame:
    folder = shared_data / "ken_french" / FILES[table.name]
    with serve_folder(folder) as url, open_ken_french("ken_french", url) as source:
        return pl.DataFrame(pa.Table.from_batches(source.extract(table, "all"), table.arrow_schema))


@pytest.mark.parametrize("name", FILES)
def test_a_hundred_real_years_have_no_findings(name: str, shared_data: Path) -> None:
    table = find_table(name)

    assert judged(table, _rows(table, shared_data), row_group=131_072) == Judgement(())


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("ff_factors_daily", {"mktrf", "smb", "hml", "rf", "umd", "smb_ff5", "rmw", "cma"}),
        ("ff_industries_10_monthly", {"ret"}),
    ],
)
def test_the_same_in_percent_breaks_the_rule_of_every_return(name: str, columns: set[str], shared_data: Path) -> None:
    table = find_table(name)
    percent = _rows(table, shared_data).with_columns(pl.col(sorted(columns)) * 100)
    findings = judged(table, percent).findings

    assert {finding.column for finding in findings} == columns
    assert {finding.severity for finding in findings} == {Severity.ERROR}
