"""Sparing the server a sort: rows mostly lie in the order of their key, which is asked for as they arrive.

CRSP's relations are written in the order of permno and date. Read by one process from front to back they come in that
order, and a sort of a year of daily rows would cost the server half as much again as sending them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from psycopg2 import extensions

_Column: TypeAlias = "pa.Array[Any]"
_Truths: TypeAlias = npt.NDArray[np.bool_]

# Else a scan may begin in the middle, where another one is, or be shared among processes whose rows mingle.
_AS_THEY_LIE: Final = "SET synchronize_seqscans TO off; SET max_parallel_workers_per_gather TO 0"
_AS_USUAL: Final = "RESET synchronize_seqscans; RESET max_parallel_workers_per_gather"


@contextmanager
def as_they_lie(connection: extensions.connection) -> Generator[None]:
    """For the length of the block the session's queries give a relation's rows in the order in which they are stored.

    As far as a plan reads them so: an index on other columns gives theirs, hence `KeyOrder`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AS_THEY_LIE)
    try:
        yield
    finally:
        # The session may be gone by now.
        with suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute(_AS_USUAL)


class KeyOrder:
    """Whether rows that arrive in batches are in the order of a key: ascending, texts by their bytes, nulls last."""

    def __init__(self, key: tuple[str, ...]) -> None:
        self._key = list(key)
        self._last: pa.RecordBatch | None = None

    def goes_on(self, batch: pa.RecordBatch) -> bool:
        """Whether the order holds within the batch and from the one before; rows with equal keys are in order."""
        keys = batch.select(self._key)
        if keys.num_rows == 0:
            return True
        last, self._last = self._last, keys.slice(keys.num_rows - 1)
        return (last is None or _in_order(last, keys.slice(0, 1))) and _in_order(
            keys.slice(0, keys.num_rows - 1), keys.slice(1)
        )


def _in_order(earlier: pa.RecordBatch, later: pa.RecordBatch) -> bool:
    """Whether each row of `later` may follow the one of `earlier` that has its number."""
    tied: _Truths = np.ones(earlier.num_rows, np.bool_)
    for one, other in zip(_columns(earlier), _columns(later), strict=True):
        less, equal = _compare(one, other)
        if (tied & ~(less | equal)).any():
            return False
        tied &= equal
    return True


def _compare(one: _Column, other: _Column) -> tuple[_Truths, _Truths]:
    """Where `one` is less than `other`, and where they are equal; a null is equal to a null and more than a value."""
    less = _truths(pc.less(one, other))  # pyright: ignore[reportUnknownMemberType] - partial stubs
    equal = _truths(pc.equal(one, other))  # pyright: ignore[reportUnknownMemberType] - partial stubs
    if one.null_count or other.null_count:
        no_one, no_other = _truths(one.is_null()), _truths(other.is_null())
        less |= ~no_one & no_other
        equal |= no_one & no_other
    return less, equal


def _truths(compared: object) -> _Truths:
    """As numpy has them; what is unknown is not true."""
    return cast("pa.BooleanArray", compared).fill_null(False).to_numpy(zero_copy_only=False).copy()  # noqa: FBT003 - a value


def _columns(keys: pa.RecordBatch) -> list[_Column]:
    columns = cast("list[_Column]", keys.columns)  # pyright: ignore[reportUnknownMemberType] - partial stubs
    # Truth values have an order in the database, and none in Arrow.
    return [column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column for column in columns]
