"""The text format: what its rules allow must be read, what they forbid must be named with its line."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_platform.sources.ken_french.assembling import percent_to_decimal
from data_platform.sources.ken_french.parsing import FormatError, Frequency, decode, parse_tables, vintage
from data_platform_tests.sources.library_files import text_of

ROWS = (",A,B", "20240102, 1.00, 2.00", "20240103, 3.00, 4.00")


@pytest.mark.parametrize(
    "text",
    [
        text_of("Free text.", "", *ROWS, "", "Copyright 2024 Kenneth R. French"),
        text_of("Free text.", "", *ROWS),
        text_of(*ROWS),
        text_of(*ROWS, newline="\n"),
        text_of(*ROWS).rstrip(),
        text_of("", "", *ROWS, "", ""),
        text_of(" , A , B ", " 20240102 ,1,2", "20240103,3.,4.000"),
        text_of(",A,B", "", "20240102, 1.00, 2.00", "", "20240103, 3.00, 4.00"),
        text_of(",A,B,", "20240102, 1.00, 2.00,", "20240103, 3.00, 4.00,"),
        text_of(*ROWS, "Copyright 2024, Eugene F. Fama and Kenneth R. French"),
        "\ufeff" + text_of(*ROWS),
    ],
    ids=[
        "preamble and footer",
        "no footer",
        "no preamble",
        "LF",
        "no line end at the end",
        "blank lines around",
        "padded cells",
        "blank lines inside",
        "commas at line ends",
        "footer right below the rows",
        "byte order mark",
    ],
)
def test_every_allowed_layout_gives_the_same_table(text: str) -> None:
    (table,) = parse_tables(decode(text.encode()))

    assert table.header == ["A", "B"]
    assert table.frequency is Frequency.DAILY
    assert table.keys == [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]
    assert table.columns == [[1.0, 3.0], [2.0, 4.0]]


def test_captioned_tables_of_several_frequencies_are_told_apart() -> None:
    tables = parse_tables(
        text_of(
            "This file holds things, as said.",
            "",
            "  Average Value Weighted Returns -- Monthly",
            ",NoDur,Hlth ",
            "202402,   1.45,  15.55",
            "202403,   2.00,  -1.00",
            "",
            "",
            "  Annual Factors: January-December, all of them",
            ",NoDur,Hlth ",
            "  2023,  42.46,  62.89",
            "",
            "  Where Mth is a month from June of t to June of t+1",
            "  and BE is last year's",
            ",NoDur,Hlth ",
            "202402,     90,     37",
            "",
            "Copyright 2024 Kenneth R. French",
        )
    )

    assert [(t.caption, t.frequency, t.keys[0], len(t.keys)) for t in tables] == [
        ("Average Value Weighted Returns -- Monthly", Frequency.MONTHLY, dt.date(2024, 2, 29), 2),
        ("Annual Factors: January-December, all of them", Frequency.ANNUAL, dt.date(2023, 12, 31), 1),
        (
            "Where Mth is a month from June of t to June of t+1 and BE is last year's",
            Frequency.MONTHLY,
            dt.date(2024, 2, 29),
            1,
        ),
    ]
    assert [t.header for t in tables] == [["NoDur", "Hlth"]] * 3


@pytest.mark.parametrize("code", ["-99.99", "-999", "-99.990", "-999.0", "-999.00", "  -99.99  "])
def test_missing_codes_are_missing_in_any_spelling(code: str) -> None:
    (table,) = parse_tables(text_of(",A", f"20240102,{code}", "20240103, -99.98", "20240104, -0.999"))

    assert table.columns == [[None, -99.98, -0.999]]


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        ((",A,B", "20240102,1"), 2, "1 values for 2 columns"),
        ((",A,B", "20240102,1,2,3"), 2, "3 values for 2 columns"),
        ((",A,B", "20240102,1,2", "20240103"), 3, "0 values for 2 columns"),
        ((",A", "20240102,x1"), 2, "the value of A is not a number"),
        ((",A", "20240102,"), 2, "the value of A is not a number"),
        ((",A", "20240102,nan"), 2, "the value of A is not a number"),
        ((",A", "20240102,1_0"), 2, "the value of A is not a number"),
        ((",A", "20240102,1", "20240102,2"), 3, "the date 2024-01-02 is repeated"),
        ((",A", "20240103,1", "20240102,2"), 3, "the date 2024-01-02 comes after a later one"),
        ((",A", "20240231,1"), 2, "the key is no date that exists"),
        ((",A", "202413,1"), 2, "the key is no date that exists"),
        ((",A", "00000101,1"), 2, "the key is no date that exists"),
        ((",A", "2024010,1"), 2, "the key is no date of the form"),
        ((",A", "20240102,1", "2024-01-03,1"), 3, "the key is no date of the form"),
        ((",A", "20240102,1", "Free, text"), 3, "the key is no date of the form"),
        ((",A", "20240102,1", "202402,1"), 3, "one key is monthly, those above are daily"),
        ((",A", "20240102,1", "", "2024,1"), 4, "one key is annual, those above are daily"),
    ],
)
def test_a_broken_row_is_named_by_its_line(lines: tuple[str, ...], line: int, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_tables(text_of(*lines))

    assert caught.value.line == line
    assert problem in caught.value.problem


@pytest.mark.parametrize("text", ["", "\r\n\r\n", "Only words, and a comma.\r\n", "<html></html>"])
def test_text_without_a_header_line_holds_no_table(text: str) -> None:
    assert parse_tables(text) == []


def test_a_header_without_rows_is_an_empty_table() -> None:
    (table,) = parse_tables(text_of("Words.", "", ",A,B", "", "Copyright 2024"))

    assert (table.keys, table.columns, table.frequency) == ([], [[], []], None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This file was created by X using the 202407 CRSP database.  It\r\ncontains", "202407"),
        ("made using the\r\n202509 crsp database", "202509"),
        ("using the CRSP database", None),
    ],
)
def test_the_vintage_is_what_the_preamble_says(text: str, expected: str | None) -> None:
    assert vintage(text) == expected


def test_latin_1_text_is_read_as_such() -> None:
    assert parse_tables(decode("Eugène\r\n\r\n,A\r\n20240102,1\r\n".encode("latin-1")))[0].columns == [[1.0]]
    assert "Eugène" in decode("Eugène".encode("latin-1"))
    assert "Eugène" in decode("Eugène".encode())


@given(cents=st.integers(-20_000_000, 20_000_000), digits=st.integers(0, 6))
def test_percent_becomes_the_float_that_its_decimal_would_be(cents: int, digits: int) -> None:
    percent = float(f"{cents}e-{digits}")

    assert percent_to_decimal(percent) == float(f"{cents}e-{digits + 2}")
