"""What callers get: plain, serialisable answers, already filtered to what they may see."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

RequestKind = Literal["query", "export"]
RequestState = Literal["queued", "running", "done", "failed", "cancelled"]
ExportFormat = Literal["csv", "parquet"]
Truncation = Literal["page_size", "kept_rows"]
"""Why an answer is not the whole result: more pages follow, or the result has more rows than are kept."""


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


class ColumnInfoDTO(Answer):
    """A column of a table: its type as the catalog declares it, and what one unit of its numbers means.

    `null_share` is the share of missing values in the latest version, from 0 to 1; None when nobody counted them.
    """

    name: str
    type: str
    unit: str
    description: str
    nullable: bool
    null_share: float | None = None


class TableSchemaDTO(Answer):
    """A table with its columns; the version fields are None until it is synced for the first time."""

    name: str
    title: str
    description: str
    columns: list[ColumnInfoDTO]
    manifest_version: int | None = None
    schema_version: str | None = None
    row_count: int | None = None
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    last_sync: dt.datetime | None = None


class DatasetSchemaDTO(Answer):
    """The schema view of a dataset that the caller may see. `references` are datasets whose tables may be joined."""

    name: str
    title: str
    licence: str
    tables: list[TableSchemaDTO]
    references: list[str] = []


class DataPreviewDTO(Answer):
    """The first rows of one table, as row objects."""

    query_id: int
    dataset: str
    table: str
    manifest_version: int
    columns: list[ColumnDTO]
    rows: list[dict[str, Any]] = Field(repr=False)
    total_rows: int
    remaining_queries: int


class QueryResultDTO(Answer):
    """What is known about a result besides its rows.

    `query_id` is the audit row of the attempt, `request_id` what history, cancelling and pages go by. `versions` are
    those of the tables that the statement names. `pages` and `total_rows` are those of the whole result; when counting
    was given up, `total_is_minimum` is true, `total_rows` is how far it went, and `pages` is None. `truncated` says
    that there are rows beyond this page, and `truncated_by` which limit cut it. `cursor` leads to the next page, until
    `expires_at`; it is None on the last page that is kept.
    """

    query_id: int
    request_id: UUID
    dataset: str
    versions: dict[str, int]
    columns: list[ColumnDTO]
    row_count: int
    page: int
    page_size: int
    pages: int | None
    total_rows: int
    total_is_minimum: bool
    truncated: bool
    truncated_by: Truncation | None
    cursor: str | None = Field(default=None, repr=False)
    expires_at: dt.datetime | None = None
    duration_ms: int
    remaining_queries: int


class QueryPlanDTO(Answer):
    """What a query would read, found without reading a row.

    `estimated_rows` is the optimizer's guess at the size of the result, None when it makes none. `estimated_bytes` is
    the size of the files of the tables that the statement names, which is the most that it could read.
    """

    query_id: int
    dataset: str
    versions: dict[str, int]
    columns: list[ColumnDTO]
    canonical_sql: str = Field(repr=False)
    estimated_rows: int | None
    estimated_bytes: int
    duration_ms: int
    remaining_queries: int


class QueryRequestDTO(Answer):
    """A query or an export that was asked for: where it stands, and when its result goes.

    `query` is the text, for its owner; administrators who look at others' get None. `error_kind` and `error_message`
    are set when it failed or was cancelled. `query_id` is the audit row, once there is one. `has_result` says that a
    page or a file can be had until `expires_at`.
    """

    id: UUID
    kind: RequestKind
    user_id: str
    dataset: str
    state: RequestState
    query: str | None = Field(default=None, repr=False)
    format: ExportFormat | None = None
    as_of: str | None = None
    created_at: dt.datetime
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    cancel_requested: bool = False
    query_id: int | None = None
    row_count: int | None = None
    error_kind: str | None = None
    error_message: str | None = None
    has_result: bool = False


class ExportJobDTO(Answer):
    """A finished export. The file is the service's; `open_export` gives it to its owner until `expires_at`."""

    export_id: UUID
    query_id: int
    dataset: str
    format: ExportFormat
    versions: dict[str, int]
    columns: list[ColumnDTO]
    row_count: int
    bytes: int
    sha256: str
    file_name: str
    licence: str
    created_at: dt.datetime
    expires_at: dt.datetime
    duration_ms: int
    remaining_exports: int


class QuotaDTO(Answer):
    """How much the limits leave the caller now."""

    queries: int
    queries_per_minute: int
    exports: int
    exports_per_hour: int


class ReplayDTO(Answer):
    """What running an audited query again on the versions that it read came to. It holds no row.

    `verdict` is ``same`` when the results are equal, ``differs`` when they are not, and ``unknown`` when nobody can
    tell, for the `reason` given. `replay_id` is the audit row of the replay's own attempt. `page_rows_then` is how
    many rows were given out then, as one page or a file; the results are compared whole, which now are `rows_compared`.
    """

    query_id: int
    replay_id: int
    dataset: str
    versions: dict[str, int]
    verdict: Literal["same", "differs", "unknown"]
    reason: str
    page_rows_then: int | None
    rows_compared: int
    sha256_then: str | None
    sha256_now: str | None
