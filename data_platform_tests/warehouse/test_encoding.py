"""Which columns get a dictionary and statistics: decided by their first rows, alike for alike rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data_platform.warehouse.encoding import worth_dictionary, worth_splitting, worth_statistics

ROWS = 20_000
RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("values", "worth"),
    [
        (pa.array(np.repeat(np.arange(ROWS // 250), 250).astype(np.int32)), False),  # an identifier in its own order
        (pa.array(np.round(RANDOM.random(ROWS) * 10, 2)), True),  # prices in cents
        (pa.array(RANDOM.random(ROWS) * 1e9), False),  # hardly ever the same
        (pa.array([1.0] * ROWS), False),
        (pa.array([None] * ROWS, pa.float64()), True),
        (pa.array(["NS"] * ROWS), True),
        (pa.array([True, False] * (ROWS // 2)), True),
    ],
    ids=["ordered ids", "prices", "volumes", "constant", "nothing", "flags", "booleans"],
)
def test_dictionaries_are_for_values_that_repeat_apart(values: pa.Array, worth: bool) -> None:
    assert worth_dictionary(pa.table({"a": values})) == (["a"] if worth else [])


@pytest.mark.parametrize(
    ("values", "worth"),
    [
        (pa.array(np.floor(RANDOM.random(ROWS) * 1e9)), True),  # volumes
        (pa.array([*np.floor(RANDOM.random(ROWS) * 1e9), None]), True),
        (pa.array(RANDOM.random(ROWS) * 1e9), False),  # market capitalisation
        (pa.array(np.floor(RANDOM.random(ROWS) * 100)), False),  # whole numbers that repeat have a dictionary
        (pa.array(np.floor(RANDOM.random(ROWS) * 1e9).astype(np.int64)), False),
        (pa.array([None] * ROWS, pa.float64()), False),
    ],
    ids=["volumes", "with a missing one", "fractions", "few values", "integers", "nothing"],
)
def test_bytes_are_split_where_doubles_hold_whole_numbers(values: pa.Array, worth: bool) -> None:
    assert worth_splitting(pa.table({"a": values})) == (["a"] if worth else [])


def test_a_table_without_rows_decides_too() -> None:
    assert worth_splitting(pa.schema([("a", pa.float64())]).empty_table()) == []
    assert worth_dictionary(pa.schema([("a", pa.int64()), ("b", pa.string())]).empty_table()) == ["a", "b"]


def test_statistics_are_for_what_a_scan_skips_by() -> None:
    schema = pa.schema([("permno", pa.int32()), ("date", pa.date32()), ("prc", pa.float64()), ("ticker", pa.string())])
    assert worth_statistics(schema) == ["permno", "date"]
