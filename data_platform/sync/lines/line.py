"""What the standard library calls a record, as a line of `data_sync_logs`."""

from __future__ import annotations

import datetime as dt
import logging
import math
import uuid
from collections.abc import Iterable, Mapping
from typing import cast

from data_platform.records.sync_logs import Level, NewLine


def line_of(record: logging.LogRecord) -> NewLine:
    """Make a line of a record that has `dataset`, and may have `table_name`, `sync_run_id`, `partition` and `fields`.

    Traces are left out: they would show values. What JSON or the database can't hold becomes text, or goes.
    """
    given = vars(record)
    fields = cast("Mapping[str, object]", given.get("fields") or {})
    partition = given.get("partition")
    extra = {} if partition is None else {"partition": partition}
    return NewLine(
        line_id=uuid.uuid4(),
        created_at=dt.datetime.fromtimestamp(record.created, dt.UTC),
        dataset=text(given["dataset"]),
        table_name=None if given.get("table_name") is None else text(given["table_name"]),
        level=level_of(record.levelno),
        message=text(record.getMessage()),
        extra={text(key): plain(value) for key, value in {**extra, **fields}.items()},
        sync_run_id=given.get("sync_run_id"),
    )


def level_of(number: int) -> Level:
    """Return the table's word for a level of the standard library."""
    if number >= logging.ERROR:
        return "ERROR"
    return "WARN" if number >= logging.WARNING else "INFO"


def text(value: object) -> str:
    """Return text that PostgreSQL can hold: without NUL and without halves of surrogate pairs."""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


def plain(value: object) -> object:
    """Return what JSON has for a value: a number that is none, or anything unknown, becomes text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {text(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in cast("Iterable[object]", value)]
    return text(value)
