"""A record of the standard library becomes a line that JSON and the database can hold."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Mapping

import pytest

from data_platform.records.connection import Records
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import append_many
from data_platform.sync.lines.line import level_of, line_of, plain
from data_platform_tests.records.waiting import stored


def record(message: str, *args: object, level: int = logging.INFO, **given: object) -> logging.LogRecord:
    made = logging.LogRecord("data_platform.sync", level, __file__, 1, message, args, None)
    vars(made).update({"dataset": "crsp", **given})
    return made


def test_what_is_given_is_in_the_line() -> None:
    run = uuid.uuid4()
    made = record("%s: %d rows", "2024", 7, table_name="crsp_daily", sync_run_id=run, partition="2024", fields={"n": 7})
    made.created = 1_772_625_600.25
    line = line_of(made)
    assert (line.dataset, line.table_name, line.level, line.sync_run_id) == ("crsp", "crsp_daily", "INFO", run)
    assert (line.message, line.extra) == ("2024: 7 rows", {"partition": "2024", "n": 7})
    assert line.created_at == dt.datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=dt.UTC)
    assert line_of(made).line_id != line.line_id
    bare = line_of(record("x"))
    assert (bare.table_name, bare.sync_run_id, bare.extra) == (None, None, {})


def test_a_trace_is_left_out() -> None:
    made = record("failed")
    made.exc_info = (ValueError, ValueError("a licensed value"), None)
    assert "licensed" not in str(line_of(made))


@pytest.mark.parametrize(
    ("number", "level"),
    [(10, "INFO"), (20, "INFO"), (25, "INFO"), (30, "WARN"), (39, "WARN"), (40, "ERROR"), (50, "ERROR")],
)
def test_levels_are_those_of_the_table(number: int, level: str) -> None:
    assert level_of(number) == level


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("a\0b", "ab"),
        ("half \ud800 pair", "half ? pair"),
        ((1, {"x": {float("inf")}}), [1, {"x": ["inf"]}]),
        ({1: dt.date(2026, 3, 4)}, {"1": "2026-03-04"}),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_values_become_what_json_has(value: object, expected: object) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    "fields",
    [{"\0": "\0"}, {"a": float("nan")}, {"a": ["\udfff", {"b": "x\0"}]}, {"a": 10**400}, {"a": object}],
)
def test_the_table_takes_every_line(records: Records, fields: Mapping[str, object]) -> None:
    line = line_of(record("half \ud800 of \0 a pair", fields=fields, partition="2024"))
    with records.transaction(Scope.system("test")) as connection:
        assert append_many(connection, [line]) == 1
    assert stored(records)[0].message == "half ? of  a pair"
