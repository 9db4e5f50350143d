"""Where a result is kept, and who can open it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_platform.client.names import distinct_names
from data_platform.errors import UsageError
from data_platform.governance.result_files import read_result, user_folder, write_result

USERS = [
    "ann",
    "ann@uni.edu",
    "local:root",
    "../../etc",
    "..",
    ".",
    ".hidden",
    "a/b",
    "a%2Fb",
    "a b",
    "é",
    "x" * 500,
    "X" * 500,
]


@pytest.mark.parametrize("user", USERS)
def test_any_name_stays_inside_the_folder(tmp_path: Path, user: str) -> None:
    table = pa.table({"a": [1, 2]})
    path = write_result(tmp_path, user, uuid4(), table)
    assert path.resolve().is_relative_to(tmp_path.resolve())
    assert len(path.relative_to(tmp_path).parts) == 3
    assert path.name == "result.parquet"
    assert pq.read_table(path).equals(table)
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in path.parents[:2])
    assert [entry.name for entry in path.parent.iterdir()] == ["result.parquet"]


def test_different_users_have_different_folders() -> None:
    assert len({user_folder(user) for user in USERS}) == len(USERS)


@pytest.mark.parametrize(
    ("names", "distinct"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a_2", "a_3"]),
        (["a", "a_2", "a"], ["a", "a_2", "a_3"]),
        (["a", "a", "a_2"], ["a", "a_3", "a_2"]),
        (["", ""], ["", "_2"]),
    ],
)
def test_repeated_column_names_are_numbered(names: list[str], distinct: list[str]) -> None:
    table = pa.Table.from_arrays([pa.array([i]) for i in range(len(names))], names=names)
    assert distinct_names(table).column_names == distinct


def test_a_type_without_room_in_parquet_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    table = pa.table({"i": pa.array([pa.scalar((1, 2, 3), pa.month_day_nano_interval())])})
    request = uuid4()
    with pytest.raises(UsageError, match="month_day_nano_interval"):
        write_result(tmp_path, "ann", request, table)
    assert list((tmp_path / "ann" / str(request)).iterdir()) == []


@pytest.mark.parametrize(
    ("offset", "rows", "first", "read"),
    [
        (0, None, 0, 25_000), (0, 10, 0, 10_000), (9_999, 2, 0, 20_000), (10_000, 10_000, 10_000, 10_000),
        (24_999, 10_000, 20_000, 5_000), (25_000, 10, 0, 0),
    ],
)  # fmt: skip
def test_of_a_result_no_more_is_read_than_lies_around_the_page(
    tmp_path: Path, offset: int, rows: int | None, first: int, read: int
) -> None:
    path = write_result(tmp_path, "ann", uuid4(), pa.table({"n": range(25_000)}), {"a": 1})
    found = read_result(path, offset, rows)
    assert found is not None
    assert (found.first, found.table.num_rows, found.total, found.facts) == (first, read, 25_000, {"a": 1})
    assert found.table["n"].to_pylist() == list(range(first, first + read))


def test_an_empty_result_and_one_that_is_gone(tmp_path: Path) -> None:
    empty = read_result(write_result(tmp_path, "ann", uuid4(), pa.table({"n": pa.array([], pa.int64())}), {"a": 1}))
    assert empty is not None
    assert (empty.table.column_names, empty.total, empty.facts) == (["n"], 0, {"a": 1})
    assert read_result(tmp_path / "gone") is None


def test_times_of_whole_seconds_come_back_as_such(tmp_path: Path) -> None:
    table = pa.table(
        {
            "t": pa.array([0, None, 10**12], pa.timestamp("s")),
            "l": pa.array([[5], [], None], pa.list_(pa.timestamp("s"))),
            "e": pa.array(["a", "b", None]).dictionary_encode(),
        }
    )
    found = read_result(write_result(tmp_path, "ann", uuid4(), table, {"kept": 1}))
    assert found is not None
    assert found.table.schema.types == table.schema.types
    assert found.table.equals(table)
    assert found.facts == {"kept": 1}
