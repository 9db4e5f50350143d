"""What callers get: plain, serialisable answers, already filtered to what they may see."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """What every answer has in common: it does not change."""

    model_config = ConfigDict(frozen=True)


class ColumnDTO(Answer):
    """A result column and its DuckDB type."""

    name: str
    type: str


class TableInfoDTO(Answer):
    """A table and its latest version; the version fields are None until it is synced for the first time."""

    name: str
    title: str
    description: str
    columns: list[str]
    manifest_version: int | None = None
    row_count: int | None = None
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    last_sync: dt.datetime | None = None


class DatasetInfoDTO(Answer):
    """A dataset that the caller may see."""

    name: str
    title: str
    licence: str
    tables: list[TableInfoDTO]


class DataPreviewDTO(Answer):
    """The first rows of one table, as row objects."""

    query_id: int
    dataset: str
    table: str
    manifest_version: int
    columns: list[ColumnDTO]
    rows: list[dict[str, Any]] = Field(repr=False)
    total_rows: int


class QueryResultDTO(Answer):
    """What is known about a result besides its rows.

    `pages` and `total_rows` are those of the whole result; when counting was given up, `total_is_minimum` is true,
    `total_rows` is how far it went, and `pages` is None. `query_id` is the audit row of the attempt.
    """

    query_id: int
    dataset: str
    versions: dict[str, int]
    columns: list[ColumnDTO]
    row_count: int
    page: int
    pages: int | None
    total_rows: int
    total_is_minimum: bool
    duration_ms: int
    remaining_queries: int
