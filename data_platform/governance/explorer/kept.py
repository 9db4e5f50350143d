"""Results that are kept whole, so that every page of one query shows the same rows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from data_platform.errors import UsageError
from data_platform.governance.dto import ColumnDTO, QueryResultDTO
from data_platform.governance.engine.task import EnginePage
from data_platform.governance.explorer import cursors
from data_platform.governance.explorer.asked import KEPT_ROWS, QueryResult
from data_platform.governance.explorer.cursors import Cursor
from data_platform.governance.explorer.door import Door
from data_platform.governance.result_files import read_result, write_result


@dataclass(frozen=True, slots=True)
class Whole:
    """A result as far as it is at hand: `table` begins with the row number `first` of the whole, counted from 0.

    `held` is up to which row it can be had, when that is more than is in `table`.
    `rows_counted` is how many rows it has, or, unless `counted_all`, how far they were counted.
    """

    table: pa.Table = field(repr=False)
    columns: tuple[tuple[str, str], ...]
    versions: Mapping[str, int]
    rows_counted: int
    counted_all: bool
    query_id: int
    first: int = 0
    held: int | None = None

    def more_after(self, row: int) -> bool:
        """Whether the whole has rows from this one on."""
        return not self.counted_all or self.rows_counted > row

    def held_after(self, row: int) -> bool:
        """Whether such rows are at hand."""
        return (self.first + self.table.num_rows if self.held is None else self.held) > row

    def pages(self, page_size: int) -> int | None:
        """How many pages the whole has; None when nobody counted that far."""
        return max(1, math.ceil(self.rows_counted / page_size)) if self.counted_all else None


@dataclass(frozen=True, slots=True)
class Shown:
    """Which rows of a result are shown, to whom, and until when there are more; None when nothing is kept."""

    user_id: str
    request_id: UUID
    dataset: str
    offset: int
    page_size: int
    expires_at: dt.datetime | None
    duration_ms: int
    remaining: int


def whole_of(answer: EnginePage, versions: Mapping[str, int], query_id: int, first: int = 0) -> Whole:
    """What the engine answered."""
    return Whole(answer.table, answer.columns, versions, answer.rows_counted, answer.counted_all, query_id, first)


def check_page_exists(whole: Whole, page: int, page_size: int) -> None:
    """Refuse a page behind the last.

    Raises:
        UsageError: saying how many there are.
    """
    pages = whole.pages(page_size)
    if pages is not None and page > pages:
        raise UsageError(
            f"There is no page {page:,}: the result has {pages:,} page{'' if pages == 1 else 's'} of up to "
            f"{page_size:,} rows."
        )


def keep(door: Door, user_id: str, request_id: UUID, whole: Whole) -> Path:
    """Write the result to its user's folder.

    Raises:
        UsageError: a column has a type that Parquet has no room for.
        PlatformError: it can't be written on this machine, or there is no room for it.
    """
    door.require_room(whole.table.nbytes)
    facts = {
        "columns": [list(column) for column in whole.columns],
        "versions": dict(whole.versions),
        "rows_counted": whole.rows_counted,
        "counted_all": whole.counted_all,
        "query_id": whole.query_id,
    }
    return write_result(door.exports, user_id, request_id, whole.table, facts)


def kept(location: str | None, offset: int, rows: int) -> Whole | None:
    """Read back of what `keep` wrote the rows around a page; None when it is gone."""
    found = None if location is None else read_result(Path(location), offset, rows)
    if found is None or not found.facts:
        return None
    facts = found.facts
    columns = tuple((str(name), str(dtype)) for name, dtype in facts["columns"])
    return Whole(
        found.table.rename_columns([name for name, _ in columns]).replace_schema_metadata(None),
        columns,
        {str(name): int(version) for name, version in facts["versions"].items()},
        int(facts["rows_counted"]),
        bool(facts["counted_all"]),
        int(facts["query_id"]),
        found.first,
        found.total,
    )


def page_of(door: Door, whole: Whole, shown: Shown) -> QueryResult:
    """Cut a page, and say what is known about the rest and how it can be had."""
    table = whole.table.slice(shown.offset - whole.first, shown.page_size)
    end = shown.offset + table.num_rows
    more, held = whole.more_after(end), shown.expires_at is not None and whole.held_after(end)
    cursor = Cursor(shown.user_id, shown.request_id, cursors.digest(whole.versions), end, shown.page_size)
    dto = QueryResultDTO(
        query_id=whole.query_id,
        request_id=shown.request_id,
        dataset=shown.dataset,
        versions=dict(whole.versions),
        columns=[ColumnDTO(name=name, type=dtype) for name, dtype in whole.columns],
        row_count=table.num_rows,
        page=shown.offset // shown.page_size + 1,
        page_size=shown.page_size,
        pages=whole.pages(shown.page_size),
        total_rows=whole.rows_counted,
        total_is_minimum=not whole.counted_all,
        truncated=more,
        truncated_by=("page_size" if end < KEPT_ROWS else "kept_rows") if more else None,
        cursor=cursors.sign(door.cipher, cursor) if held else None,
        expires_at=shown.expires_at,
        duration_ms=shown.duration_ms,
        remaining_queries=shown.remaining,
    )
    return QueryResult(table, dto)
