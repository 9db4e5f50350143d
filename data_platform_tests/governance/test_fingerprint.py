"""Which ways of writing a query count as the same query."""

from __future__ import annotations

import logging
import re
import time

import pytest

from data_platform.governance.fingerprint import LONGEST, fingerprint

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


def test_long_text_is_compared_by_its_words_and_takes_no_time() -> None:
    # Parsed, it would take eight seconds, before anybody asked whether its user may query at all.
    text = "SELECT " + "a[1]," * 12_000 + "1"
    began = time.process_time()
    assert fingerprint(text) == fingerprint(f" {text}\n") != fingerprint(text.replace("a[1]", "A[1]"))
    assert time.process_time() - began < 2
    short = "SELECT " + "a[1]," * (LONGEST // 10) + "1"
    assert fingerprint(short) == fingerprint(short.lower())
