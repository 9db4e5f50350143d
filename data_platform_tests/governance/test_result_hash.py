"""The number of a result: what counts, and what does not."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from data_platform.governance.result_hash import MOST_SLOW, affordable_hash, result_hash, slow_values

ROWS = {
    "i": [3, 1, 2, None],
    "f": [0.1, -2.5e300, None, 5e-324],
    "s": ["a", None, "", "\\N"],
    "d": [dt.date(2024, 1, 2), None, dt.date(1925, 12, 31), dt.date(2024, 1, 3)],
    "t": [dt.datetime(2024, 1, 2, 3, 4, 5, 6), None, dt.datetime(1970, 1, 1), dt.datetime(2024, 1, 2)],
    "l": [[1.0, None], [], None, [2.0]],
    "n": [Decimal("1.50"), None, Decimal(0), Decimal("-3.25")],
}


def table(**changed: object) -> pa.Table:
    return pa.table({**ROWS, **changed})


def test_the_order_counts_only_where_the_query_gives_one() -> None:
    rows = table()
    shuffled = rows.take(pa.array([2, 0, 3, 1]))
    assert result_hash(rows, ordered=False) == result_hash(shuffled, ordered=False)
    here, there = result_hash(rows, ordered=True), result_hash(shuffled, ordered=True)
    assert here.any_order == there.any_order
    assert here.own_order != there.own_order
    assert result_hash(rows, ordered=False).own_order is None
    chunks = pa.concat_tables([rows.slice(0, 1), rows.slice(1)])
    assert result_hash(chunks, ordered=True) == here


@pytest.mark.parametrize(
    "changed",
    [
        {"i": [3, 1, 2, 0]},
        {"f": [0.1, -2.5e300, 0.0, 5e-324]},
        {"f": [0.1000000001, -2.5e300, None, 5e-324]},
        {"f": [float("nan"), -2.5e300, None, 5e-324]},
        {"f": [-0.1, -2.5e300, None, 5e-324]},
        {"s": ["a", "", "", "\\N"]},
        {"s": ["a", "\\N", "", "\\N"]},
        {"s": ["a\n", None, "", "\\N"]},
        {"d": [dt.date(2024, 1, 2), None, dt.date(1925, 12, 30), dt.date(2024, 1, 3)]},
        {"t": [dt.datetime(2024, 1, 2, 3, 4, 5, 7), None, dt.datetime(1970, 1, 1), dt.datetime(2024, 1, 2)]},
        {"l": [[1.0], [], None, [2.0]]},
        {"n": [Decimal("1.51"), None, Decimal(0), Decimal("-3.25")]},
        {"more": [1, 2, 3, 4]},
    ],
)
def test_every_value_counts(changed: dict[str, object]) -> None:
    assert result_hash(table(**changed), ordered=False) != result_hash(table(), ordered=False)


def test_values_do_not_run_into_each_other() -> None:
    pairs = [
        ({"a": ["x\x1fy"], "b": ["z"]}, {"a": ["x"], "b": ["y\x1fz"]}),
        ({"a": ["x\ny"]}, {"a": ["x", "y"]}),
        ({"a": ["\\n"]}, {"a": ["\n"]}),
        ({"a": ["\\x"]}, {"a": ["\x1f"]}),
        ({"a": ["1", "1"]}, {"a": ["1"]}),
        ({"a": ["1"], "b": ["2"]}, {"b": ["1"], "a": ["2"]}),
    ]
    for one, other in pairs:
        assert result_hash(pa.table(one), ordered=True) != result_hash(pa.table(other), ordered=True)


def test_the_last_bits_of_a_sum_do_not_count() -> None:
    chance = random.Random(7)  # noqa: S311 - a shuffle
    values = [chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 3) for _ in range(5_000)]
    sums = set()
    hashes = set()
    for _ in range(50):
        chance.shuffle(values)
        total = 0.0
        for value in values:
            total += value
        sums.add(total)
        hashes.add(result_hash(pa.table({"sum": [total]}), ordered=False))
    assert len(sums) > 1
    assert len(hashes) == 1
    one = pa.table({"x": [1.0, 0.0, float("inf"), 9.99999999999, 123456.7890123]})
    same = pa.table({"x": [1.0000000000002, -0.0, float("inf"), 10.0, 123456.78901231]})
    assert result_hash(one, ordered=True) == result_hash(same, ordered=True)


def test_no_rows_and_no_columns_have_numbers_too() -> None:
    empty, other = pa.table({"a": pa.array([], pa.int64())}), pa.table({"b": pa.array([], pa.int64())})
    assert result_hash(empty, ordered=True) != result_hash(other, ordered=True)


def test_the_number_is_the_same_tomorrow() -> None:
    """It is kept for months: another number for the same rows would make every replay differ."""
    kept = "5d3d0e4f191b6c626216cb6a22ef298e85876adadb768139a59ebb25cfbddab8"
    assert result_hash(table(), ordered=False).any_order == kept


def test_what_would_take_minutes_gets_no_number() -> None:
    assert affordable_hash(table(), ordered=True) == result_hash(table(), ordered=True)
    many = pa.array([1] * MOST_SLOW, pa.int8())
    assert affordable_hash(pa.table({"i": many}), ordered=False) is not None
    offsets = pa.array([0, MOST_SLOW], pa.int32())
    assert affordable_hash(pa.table({"l": pa.ListArray.from_arrays(offsets, many)}), ordered=False) is None


def test_values_within_values_are_counted() -> None:
    counts = {
        "fast": (pa.array([1, 2]), 0),
        "decimal": (pa.array([Decimal(1), None]), 2),
        "list": (pa.array([[1, 2, 3], None, []]), 3 + 3),
        "nested": (pa.array([[[1, 2], [3]], [[]]]), 2 + 3 + 3),
        "struct": (pa.array([{"a": 1, "b": [1, 2]}]), 1 + 1 + (1 + 2)),
        "map": (pa.array([[("k", 1), ("l", 2)]], pa.map_(pa.string(), pa.int64())), 1 + 2 + 2),
    }
    assert {name: slow_values(array) for name, (array, _) in counts.items()} == {
        name: expected for name, (_, expected) in counts.items()
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1_000_000_001], pa.timestamp("ns")), pa.array([1_000_000_002], pa.timestamp("ns"))),
        (pa.array([2**63 - 1], pa.timestamp("s")), pa.array([1 - 2**63], pa.timestamp("s"))),
        (pa.array([2**31 - 1], pa.date32()), pa.array([2**31 - 2], pa.date32())),
        (pa.array([[2**31 - 1]], pa.list_(pa.date32())), pa.array([[2**31 - 2]], pa.list_(pa.date32()))),
        (pa.array([{"a": 2**63 - 1}], pa.struct({"a": pa.timestamp("us")})), pa.array([{"a": None}])),
        (pa.array([1_001], pa.time64("ns")), pa.array([1_002], pa.time64("ns"))),
    ],
)
def test_moments_that_python_has_none_for_count(one: Any, other: Any) -> None:  # noqa: ANN401 - arrays of any type
    assert result_hash(pa.table({"v": one}), ordered=True) == result_hash(pa.table({"v": one}), ordered=True)
    assert result_hash(pa.table({"v": one}), ordered=False) != result_hash(pa.table({"v": other}), ordered=False)


def test_a_fine_unit_counts_as_before_where_nothing_is_lost() -> None:
    coarse = pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6)], pa.timestamp("us"))
    fine = pa.table({"t": coarse.cast(pa.timestamp("ns"))})
    assert result_hash(fine, ordered=True) == result_hash(pa.table({"t": coarse}), ordered=True)


def test_every_digit_of_a_long_decimal_counts() -> None:
    long, longer = (pa.table({"n": [Decimal(f"1234567890123456789012345678901234567{last}")]}) for last in (8, 9))
    assert result_hash(long, ordered=False) != result_hash(longer, ordered=False)
    assert result_hash(pa.table({"n": [Decimal("1.50")]}), ordered=False) == result_hash(
        pa.table({"n": [Decimal("1.5")]}), ordered=False
    )
