"""Reverse deltas: what is put together from one has the rows of the dropped file, or there is an error."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.deltas.assembly import assemble
from data_platform.warehouse.deltas.content_hash import content_hash
from data_platform.warehouse.deltas.form import read_delta
from data_platform.warehouse.deltas.rebuild import delta_problem, put_together, rebuild
from data_platform.warehouse.deltas.writing import write_reverse, write_whole
from data_platform.warehouse.manifest import FileEntry
from data_platform.warehouse.retention.deciding import Expiring
from data_platform.warehouse.retention.securing import secure_delta
from data_platform_tests.warehouse.changing import COLUMNS, KEY, expected, flip, publish_rows, rows, wordy_rows, written
from data_platform_tests.warehouse.frames import publish

OLD, BASE = "a" * 64, "b" * 64
SCHEMA = pa.schema([("k", pa.string()), ("day", pa.date32()), ("x", pa.float64()), ("s", pa.string())])
Row = tuple[str, dt.date, float | None, str | None]

_keys = st.tuples(st.text("abß", max_size=2), st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 9)))
_values = st.tuples(st.none() | st.floats(), st.none() | st.text(max_size=3))
_states = st.dictionaries(_keys, _values, min_size=1, max_size=12)


def _table(state: list[Row]) -> pa.Table:
    columns = list(zip(*state, strict=True)) or [(), (), (), ()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    return pa.table(arrays, schema=SCHEMA.with_metadata({"origin": "test"}))


def _sorted(state: dict[tuple[str, dt.date], tuple[float | None, str | None]]) -> list[Row]:
    return [(*key, *state[key]) for key in sorted(state, key=lambda key: (key[0].encode(), key[1]))]


@given(chain=st.lists(_states, min_size=2, max_size=5))
@settings(deadline=None, max_examples=120)
def test_a_chain_of_deltas_gives_every_earlier_state_back(
    chain: list[dict[tuple[str, dt.date], tuple[float | None, str | None]]],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{index}.parquet" for index in range(len(chain))]
        for file, state in zip(files, chain, strict=True):
            pq.write_table(_table(_sorted(state)), file)
        links = []
        for index in range(len(chain) - 1):
            target = folder / f"{index}.delta"
            delta = write_reverse(
                files[index], files[index + 1], target, dropped=OLD, base_sha256=BASE, key=("k", "day")
            )
            assert delta is not None
            links.append((delta, target))
        for index in range(len(links)):
            target = folder / f"{index}.again"
            assemble(links[index:], files[-1], target)
            assert pq.read_table(target).schema.equals(pq.read_table(files[index]).schema, check_metadata=True)
            assert written(target) == written(files[index])
            assert content_hash(target) == content_hash(files[index])


@given(state=st.lists(st.tuples(st.none() | st.text(max_size=2), st.none() | st.floats()), max_size=20))
@settings(deadline=None, max_examples=50)
def test_a_whole_copy_gives_any_rows_back_in_any_order(state: list[tuple[str | None, float | None]]) -> None:
    with TemporaryDirectory() as name:
        old, delta, again = (Path(name) / file for file in ("old", "delta", "again"))
        columns = list(zip(*state, strict=True)) or [(), ()]
        pq.write_table(pa.table({"k": pa.array(columns[0], pa.string()), "x": pa.array(columns[1], pa.float64())}), old)
        assemble([(write_whole(old, delta, dropped=OLD), delta)], None, again)
        assert written(again) == written(old)


D1, D2 = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
USUAL: list[Row] = [("a", D1, 1.0, "x"), ("a", D2, 2.0, "x"), ("b", D1, None, None)]


@pytest.mark.parametrize(
    ("old", "base", "key"),
    [
        pytest.param(_table(USUAL), _table(USUAL), (), id="no key is known"),
        pytest.param(_table([*USUAL, USUAL[-1]]), _table(USUAL), ("k", "day"), id="a key twice in the dropped file"),
        pytest.param(_table(USUAL), _table([*USUAL, USUAL[-1]]), ("k", "day"), id="a key twice in the base"),
        pytest.param(_table(USUAL), _table(USUAL), ("k", "x"), id="a float as key"),
        pytest.param(_table(USUAL), _table(USUAL), ("k", "s"), id="a null in the key"),
        pytest.param(_table(USUAL), _table(USUAL).drop_columns(["s"]), ("k", "day"), id="a column the base lacks"),
        pytest.param(
            _table(USUAL),
            _table(USUAL).cast(SCHEMA.set(2, pa.field("x", pa.float32()))),
            ("k", "day"),
            id="another type",
        ),
    ],
)
def test_rows_that_cannot_be_matched_are_not_matched(
    tmp_path: Path, old: pa.Table, base: pa.Table, key: tuple[str, ...]
) -> None:
    pq.write_table(old, tmp_path / "old")
    pq.write_table(base, tmp_path / "base")
    target = tmp_path / "delta"
    assert write_reverse(tmp_path / "old", tmp_path / "base", target, dropped=OLD, base_sha256=BASE, key=key) is None


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def _expiring(entries: list[FileEntry]) -> Expiring:
    return Expiring(table="t", entry=entries[0], later=tuple(entries[1:]))


def _two_states(warehouse: Warehouse) -> list[FileEntry]:
    return [publish_rows(warehouse, seed).files[0] for seed in (1, 2)]


def test_a_delta_is_much_smaller_than_the_file_it_stands_for(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    assert secure_delta(warehouse.store, _expiring(entries), KEY) == ""
    path = warehouse.store.path(layout.delta(entries[0].sha256))
    assert read_delta(path, entries[0].sha256).base_sha256 == entries[1].sha256
    assert path.stat().st_size < entries[0].bytes / 2
    assert path.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize(
    ("before", "after"), [("-0.0", "0.0"), ("0.0", "-0.0"), ("nan", "other nan"), ("other nan", "nan")]
)
def test_floats_that_compare_as_equal_but_have_other_bits_are_told_apart(
    tmp_path: Path, before: str, after: str
) -> None:
    bits = {"0.0": 0, "-0.0": -(2**63), "nan": 0x7FF8 << 48, "other nan": (0x7FF8 << 48) + 1}
    for name, value in (("old", before), ("base", after)):
        floats = pa.array([bits[value], 1], pa.int64()).view(pa.float64())
        pq.write_table(pa.table({"k": [1, 2], "x": floats}), tmp_path / name)
    old, base, target = (tmp_path / name for name in ("old", "base", "delta"))
    delta = write_reverse(old, base, target, dropped=OLD, base_sha256=BASE, key=("k",))
    assert delta is not None
    assert pq.read_metadata(target).num_rows == 1
    assemble([(delta, target)], base, tmp_path / "again")
    assert content_hash(tmp_path / "again") == content_hash(old)


def test_rows_in_another_order_than_the_keys_come_back_in_it(warehouse: Warehouse) -> None:
    ordered = wordy_rows(1).to_pylist()
    shuffled = pa.RecordBatch.from_pylist([*ordered[5:], *ordered[:5]], COLUMNS)
    entries = [publish(warehouse, "t", "2024", batch, schema=COLUMNS).files[0] for batch in (shuffled, wordy_rows(2))]
    assert secure_delta(warehouse.store, _expiring(entries), KEY) == ""
    assert read_delta(warehouse.store.path(layout.delta(entries[0].sha256)), entries[0].sha256).base_sha256 is None
    put_together(warehouse.store, entries[0].sha256, warehouse.root / "again")
    assert written(warehouse.root / "again") == [repr(row) for row in shuffled.to_pylist()]


def test_a_key_that_was_declared_anew_between_two_deltas_does_no_harm(warehouse: Warehouse) -> None:
    # The rows of one security are in the order of either key.
    states = [rows(seed, 1, 1_000) for seed in (1, 2, 3)]
    entries = [publish(warehouse, "t", "2024", state, schema=COLUMNS).files[0] for state in states]
    for first, key in enumerate((KEY, KEY[::-1])):
        assert secure_delta(warehouse.store, _expiring(entries[first:]), key) == ""
        sha256 = entries[first].sha256
        assert read_delta(warehouse.store.path(layout.delta(sha256)), sha256).base_sha256 == entries[first + 1].sha256
    for entry in entries[:2]:
        warehouse.store.delete(layout.blob(entry.sha256))
    path = rebuild(warehouse.store, entries[0].sha256)
    assert path is not None
    assert written(path) == [repr(row) for row in states[0].to_pylist()]


def test_a_changed_bit_in_a_delta_never_gives_other_rows(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    sha256 = entries[0].sha256
    secure_delta(warehouse.store, _expiring(entries), KEY)
    warehouse.store.delete(layout.blob(sha256))
    path = warehouse.store.path(layout.delta(sha256))
    sound = path.read_bytes()
    noticed = 0
    for position in range(0, len(sound), max(1, len(sound) // 150)):
        flip(path, position)
        try:
            rebuilt = rebuild(warehouse.store, sha256)
            assert rebuilt is not None
            assert written(rebuilt) == expected(1)
            rebuilt.unlink()
        except ChecksumMismatchError as error:
            noticed += 1
            assert sha256[:12] in error.message
            assert error.hint is not None
            assert delta_problem(warehouse.store, sha256) is not None
        path.write_bytes(sound)
    # A bit in an unused corner of the footer may change nothing; nearly everywhere else it must be seen.
    assert noticed > 100
    assert rebuild(warehouse.store, sha256) is not None


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_base_that_is_gone_or_damaged_is_found_before_it_is_used(warehouse: Warehouse, harm: str) -> None:
    entries = _two_states(warehouse)
    secure_delta(warehouse.store, _expiring(entries), KEY)
    warehouse.store.delete(layout.blob(entries[0].sha256))
    base = warehouse.store.path(layout.blob(entries[1].sha256))
    if harm == "gone":
        base.unlink()
    else:
        flip(base, 200)
    with pytest.raises(ChecksumMismatchError, match="gone or damaged"):
        rebuild(warehouse.store, entries[0].sha256)
    assert "gone or damaged" in (delta_problem(warehouse.store, entries[0].sha256) or "")


def test_a_file_that_was_never_dropped_has_no_delta(warehouse: Warehouse) -> None:
    (entry, _) = _two_states(warehouse)
    assert rebuild(warehouse.store, entry.sha256) is None
    assert delta_problem(warehouse.store, entry.sha256) == "there is no delta"


def test_a_damaged_file_gets_no_delta(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    flip(warehouse.store.path(layout.blob(entries[0].sha256)), 300)
    assert "damaged" in secure_delta(warehouse.store, _expiring(entries), KEY)
    assert not warehouse.store.exists(layout.delta(entries[0].sha256))


def test_a_delta_that_cannot_give_the_rows_back_is_written_anew(warehouse: Warehouse) -> None:
    entries = _two_states(warehouse)
    secure_delta(warehouse.store, _expiring(entries), KEY)
    flip(warehouse.store.path(layout.delta(entries[0].sha256)), 100)
    assert secure_delta(warehouse.store, _expiring(entries), KEY) == ""
    assert delta_problem(warehouse.store, entries[0].sha256) is None
