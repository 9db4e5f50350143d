"""Which ways of writing a query count as the same query."""

from __future__ import annotations

import logging
import re

import pytest

from data_platform.governance.fingerprint import fingerprint

QUERY = "SELECT permno, avg(ret) FROM crsp_daily WHERE date >= DATE '2020-01-01' GROUP BY permno"


@pytest.mark.parametrize(
    "same",
    [
        "select permno, AVG(ret) from crsp_daily where date >= date '2020-01-01' group by permno;",
        "SELECT  permno,\n\tavg( ret )\nFROM CRSP_Daily -- all of them\n"
        "WHERE date >= DATE '2020-01-01' /* and on */ GROUP BY permno",
    ],
)
def test_formatting_comments_and_case_do_not_count(same: str) -> None:
    assert fingerprint(same) == fingerprint(QUERY)
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(same))


@pytest.mark.parametrize(
    "other",
    [
        QUERY.replace("2020", "2021"),
        QUERY.replace("avg", "sum"),
        QUERY.replace("permno", "permco"),
        QUERY + " LIMIT 1",
        QUERY + "; SELECT 1",
        "SELECT 'a' AS x",
        "SELECT 'A' AS x",
    ],
)
def test_everything_else_counts(other: str) -> None:
    assert fingerprint(other) != fingerprint(QUERY)
    assert fingerprint("SELECT 'a' AS x") != fingerprint("SELECT 'A' AS x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "not sql at (all",
        "CONNECT 'x'",
        "SELECT '\ud800'",
        "SELECT " + "(" * 8000,
        "SELECT " + "abs(" * 2000 + "1",
    ],
)
def test_any_text_has_a_fingerprint_and_none_is_logged(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert fingerprint(text) == fingerprint(f"  {text}\n ")
    assert caplog.records == []
