"""The difference of two versions: by file from manifests, by row against a plain comparison in Python."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.catalog import find_table
from data_platform.errors import SchemaError
from data_platform.warehouse import Warehouse
from data_platform.warehouse.diff.comparing import compare_versions, differing_rows
from data_platform.warehouse.diff.row_diff import RowComparison, combined
from data_platform.warehouse.diff.version_diff import RowDiff, version_diff
from data_platform.warehouse.retention.applying import apply_retention
from data_platform_tests.warehouse.changing import COLUMNS, LATER, TABLE, publish_rows, rows
from data_platform_tests.warehouse.frames import batch, publish

SCHEMA = pa.schema([("k", pa.string()), ("date", pa.date32()), ("x", pa.float64()), ("s", pa.string())])
Values = tuple[float | None, str | None]
State = dict[tuple[str | None, dt.date], Values]

_floats = st.none() | st.sampled_from([math.nan, 0.0, -0.0, 1.5]) | st.floats()
_keys = st.tuples(st.none() | st.text("ab", max_size=2), st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 5)))
_states = st.dictionaries(_keys, st.tuples(_floats, st.none() | st.text(max_size=2)), max_size=10)


def _file(path: Path, state: State) -> Path:
    lines = [(*key, *values) for key, values in state.items()]
    columns = list(zip(*lines, strict=True)) or [()] * 4
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    pq.write_table(pa.table(arrays, schema=SCHEMA), path)
    return path


def _same(one: float | str | None, other: float | str | None) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return both_nan or one == other


@given(old=_states, new=_states)
@settings(deadline=None, max_examples=100)
def test_counts_columns_and_dates_are_those_of_a_plain_comparison(old: State, new: State) -> None:
    both = old.keys() & new.keys()
    columns = {
        name: sum(not _same(old[key][index], new[key][index]) for key in both) for index, name in enumerate(("x", "s"))
    }
    changed = {key for key in both if not all(map(_same, old[key], new[key]))}
    touched = [key[1] for key in changed | (old.keys() ^ new.keys())]
    with TemporaryDirectory() as name:
        folder = Path(name)
        comparison = RowComparison(_file(folder / "old", old), _file(folder / "new", new), ("k", "date"), "date")
        found, lines = comparison.summary(), comparison.rows(1_000)
        few = comparison.rows(3)
    assert found == RowDiff(
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
        changed=len(changed),
        columns={name: count for name, count in columns.items() if count},
        columns_added=(),
        columns_removed=(),
        first_date=min(touched, default=None),
        last_date=max(touched, default=None),
    )
    by_change = lines.get_column("change").to_list()
    assert by_change.count("added") == found.added
    assert by_change.count("removed") == found.removed
    assert by_change.count("changed") == sum(found.columns.values())
    assert few.rows() == lines.head(3).rows()


def test_a_row_that_changed_is_shown_with_its_key_column_and_both_values(tmp_path: Path) -> None:
    day = dt.date(2024, 1, 2)
    old: State = {("a", day): (1.5, "x"), ("b", day): (math.nan, None), ("c", day): (0.1, "y")}
    new: State = {("a", day): (2.5, "x"), ("b", day): (math.nan, "z"), ("d", day): (0.1, "y")}
    comparison = RowComparison(_file(tmp_path / "old", old), _file(tmp_path / "new", new), ("k", "date"), "date")
    assert comparison.rows(10).rows() == [
        ("a", day, "changed", "x", "1.5", "2.5"),
        ("b", day, "changed", "s", None, "z"),
        ("c", day, "removed", None, None, None),
        ("d", day, "added", None, None, None),
    ]


def test_columns_that_came_went_or_have_another_type_are_named_and_not_compared(tmp_path: Path) -> None:
    pq.write_table(pa.table({"k": [1], "x": [1.0], "gone": [1], "retyped": [1]}), tmp_path / "old")
    pq.write_table(pa.table({"k": [1], "x": [1.0], "fresh": [1], "retyped": ["1"]}), tmp_path / "new")
    found = RowComparison(tmp_path / "old", tmp_path / "new", ("k",), "date").summary()
    assert (found.changed, found.columns) == (0, {})
    assert found.columns_added == ("fresh", "retyped")
    assert found.columns_removed == ("gone", "retyped")
    assert found.first_date is None


@pytest.mark.parametrize("twice_in", ["older", "newer"])
def test_a_key_that_does_not_identify_rows_is_an_error_that_says_in_which_version(
    tmp_path: Path, twice_in: str
) -> None:
    once, twice = pa.table({"k": [1, 2], "x": [1, 1]}), pa.table({"k": [1, 1], "x": [1, 1]})
    pq.write_table(twice if twice_in == "older" else once, tmp_path / "old")
    pq.write_table(twice if twice_in == "newer" else once, tmp_path / "new")
    comparison = RowComparison(tmp_path / "old", tmp_path / "new", ("k",), "date")
    for compare in (comparison.summary, lambda: comparison.rows(1)):
        with pytest.raises(SchemaError, match=f"{twice_in} version 1 key"):
            compare()


@pytest.mark.parametrize("key", [(), ("absent",), ("x",)])
def test_a_key_that_both_do_not_have_is_an_error(tmp_path: Path, key: tuple[str, ...]) -> None:
    pq.write_table(pa.table({"k": [1], "x": [1]}), tmp_path / "old")
    pq.write_table(pa.table({"k": [1], "x": ["1"]}), tmp_path / "new")
    with pytest.raises(SchemaError, match="no key"):
        RowComparison(tmp_path / "old", tmp_path / "new", key, "date").summary()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def test_by_file_each_partition_was_added_removed_changed_or_is_the_same(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2022")
    older = publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2023", batch(2023, rows=5))
    newer = publish(warehouse, "t", "2024")
    found = version_diff(older, newer)
    assert (found.table, found.older, found.newer) == ("t", 2, 4)
    assert [(item.partition, item.change, item.rows_before, item.rows_after) for item in found.partitions] == [
        ("2022", "unchanged", 3, 3),
        ("2023", "changed", 3, 5),
        ("2024", "added", 0, 3),
    ]
    backwards = version_diff(newer, older)
    assert [item.change for item in backwards.partitions] == ["unchanged", "changed", "removed"]
    first = version_diff(None, older)
    assert first.older is None
    assert [(item.change, item.bytes_before) for item in first.partitions] == [("added", 0)] * 2


def test_a_dropped_version_is_compared_like_any_other(warehouse: Warehouse) -> None:
    table = find_table(TABLE)
    publish_rows(warehouse, 1, partition="2023")
    for seed in (1, 2):
        publish_rows(warehouse, seed)
    reader = warehouse.reader(TABLE)
    before = compare_versions(reader.pin(2), reader.pin(3), table)
    apply_retention(warehouse, now=LATER)
    steps: list[tuple[int, int]] = []
    after = compare_versions(reader.pin(2), reader.pin(3), table, lambda done, total: steps.append((done, total)))
    assert after == before
    assert steps == [(0, 1), (1, 1)]
    unchanged, changed = after.partitions
    assert (unchanged.change, unchanged.detail, changed.change) == ("unchanged", None, "changed")
    assert changed.detail is not None
    keys = [{(row["permno"], row["date"]) for row in rows(seed).to_pylist()} for seed in (1, 2)]
    assert changed.detail.added == len(keys[1] - keys[0])
    assert changed.detail.removed == len(keys[0] - keys[1])


def test_rows_of_several_partitions_come_in_order_and_never_more_than_asked_for(warehouse: Warehouse) -> None:
    for year in ("2023", "2024"):
        for ret in (0.1, 0.2):
            publish(warehouse, TABLE, year, batch(int(year), ret=ret).cast(_nullable()), schema=_nullable())
    reader, table = warehouse.reader(TABLE), find_table(TABLE)
    older, newer = reader.pin(3), reader.pin(4)
    assert differing_rows(reader.pin(2), reader.pin(2), table, 5).height == 0
    shown = differing_rows(older, newer, table, 2)
    assert shown.get_column("date").to_list() == [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]
    assert shown.select("column", "old", "new").rows() == [("ret", "0.1", "0.2")] * 2


def test_partitions_are_summed_up() -> None:
    one = RowDiff(
        added=1,
        removed=0,
        changed=2,
        columns={"x": 2},
        columns_added=("n",),
        columns_removed=(),
        first_date=dt.date(2023, 1, 2),
        last_date=dt.date(2023, 5, 1),
    )
    other = one.model_copy(update={"columns": {"x": 1, "y": 4}, "first_date": None, "last_date": dt.date(2024, 1, 2)})
    total = combined([one, other])
    assert (total.added, total.changed, total.columns) == (2, 4, {"x": 3, "y": 4})
    assert (total.first_date, total.last_date) == (dt.date(2023, 1, 2), dt.date(2024, 1, 2))
    assert combined([]).columns == {}


def _nullable() -> pa.Schema:
    return pa.schema([COLUMNS.field("permno"), COLUMNS.field("date"), COLUMNS.field("ret")])
