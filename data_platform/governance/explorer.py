"""The service behind every query: permission, limit, audit, engine, in this order, and no way around one of them."""

from __future__ import annotations

import atexit
import math
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.catalog import DATASETS, find_dataset
from data_platform.errors import UsageError
from data_platform.governance import deferred
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.audited import AuditedRun, Question, audited, refuse
from data_platform.governance.descriptions import describe_dataset
from data_platform.governance.dto import ColumnDTO, DataPreviewDTO, DatasetInfoDTO, QueryResultDTO
from data_platform.governance.engine.engine import QueryEngine, check_size
from data_platform.governance.engine.task import EnginePage
from data_platform.governance.identity import user_named
from data_platform.governance.permissions import Action, User, decide, permitted_datasets, require
from data_platform.governance.pinning import pin_dataset, views_of
from data_platform.records.connection import Records
from data_platform.records.rate_limits import QUERIES
from data_platform.settings import Settings
from data_platform.warehouse.as_of import AsOf
from data_platform.warehouse.warehouse import Warehouse

MAX_TIMEOUT_SECONDS: Final = 30.0
MAX_PAGE_ROWS: Final = 10_000
MAX_PREVIEW_ROWS: Final = 1_000
_LAST_PAGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One page: its rows, and what is known about the whole."""

    table: pa.Table = field(repr=False)
    dto: QueryResultDTO


class DataExplorerService:
    """Everything a caller can do with data of a dataset; `engine` is shared by the process unless one is given."""

    def __init__(
        self, records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine | None = None
    ) -> None:
        self._records = records
        self._warehouse = warehouse
        self._settings = settings
        self._engine = engine or shared_engine(settings.require_sandbox)

    def list_datasets(self, user: User) -> list[DatasetInfoDTO]:
        """The datasets that the user has the permission of, with the latest version of each table.

        Raises:
            NotPermittedError: when the user is disabled or may not view anything.
        """
        require(user, Action.VIEW_DATA_SYNC)
        visible = permitted_datasets(user, DATASETS)
        return [describe_dataset(self._warehouse, dataset) for name, dataset in DATASETS.items() if name in visible]

    def get_dataset_preview(
        self, user: User, dataset: str, limit: int = 100, table: str | None = None, client_ip: str | None = None
    ) -> DataPreviewDTO:
        """The first rows of a table, by default of the dataset's first synced one. Audited and limited as a query.

        Raises:
            UsageError: for an unknown dataset or table, or a limit outside 1 to 1,000.
            NotPermittedError, RateLimitedError, PlatformError: as `execute_query`.
        """
        _within("limit", limit, MAX_PREVIEW_ROWS)
        found = find_dataset(dataset)
        # Before the pin: whether a table was ever synced is nothing for people without access.
        self._permit(user, Question(user.user_id, dataset, f"-- preview of {table or dataset}", client_ip))
        chosen = table or next(iter(pin_dataset(self._warehouse, found)))
        if chosen not in {candidate.name for candidate in found.tables}:
            names = ", ".join(candidate.name for candidate in found.tables)
            raise UsageError(f"Dataset {dataset} has no table {chosen!r}.", hint=f"Tables: {names}.")
        query = f'SELECT * FROM "{chosen}" LIMIT {limit}'  # noqa: S608 - a catalog name and a checked number
        result = self.execute_query(user, dataset, query, page_size=limit, client_ip=client_ip)
        version = result.dto.versions[chosen]
        return DataPreviewDTO(
            query_id=result.dto.query_id,
            dataset=dataset,
            table=chosen,
            manifest_version=version,
            columns=result.dto.columns,
            rows=result.table.to_pylist(),
            total_rows=self._warehouse.reader(chosen).pin(version).row_count,
        )

    def execute_query(
        self,
        user: User,
        dataset: str,
        query: str,
        timeout_seconds: float = MAX_TIMEOUT_SECONDS,
        page: int = 1,
        page_size: int = MAX_PAGE_ROWS,
        as_of: AsOf | int | None = None,
        client_ip: str | None = None,
    ) -> QueryResult:
        """Run one SELECT over the tables of one dataset and return one page of its result.

        Args:
            user: in whose name; see `identity.current_user`.
            dataset: only its tables can be named in the query.
            query: DuckDB SQL, at most 16 KiB.
            timeout_seconds: at most 30.
            page: counts from 1.
            page_size: rows a page, at most 10,000.
            as_of: the version, tag or moment to read as of instead of the latest version.
            client_ip: for the audit.

        Raises:
            UsageError: unknown dataset, no such version or page, nothing synced yet; SQL that is no single SELECT,
                does not parse, or names what does not exist or is not permitted, with line and column.
            NotPermittedError: naming the permission that is missing; the refusal is audited.
            RateLimitedError: with the seconds to wait; audited.
            QueryTimeoutError: the query was stopped.
            ConfigurationError: no key to encrypt the audited text with.
            DatabaseUnavailableError: nothing could be recorded, so nothing is shown.
            PlatformError: out of memory, or the engine failed.
        """
        found = find_dataset(dataset)
        _within("page", page, _LAST_PAGE)
        _within("page size", page_size, MAX_PAGE_ROWS)
        if not 0 < timeout_seconds <= MAX_TIMEOUT_SECONDS:
            raise UsageError(f"A query may take up to {MAX_TIMEOUT_SECONDS:g} seconds, not {timeout_seconds:g}.")
        question = Question(user.user_id, dataset, query, client_ip)
        self._permit(user, question)
        pinned = pin_dataset(self._warehouse, found, as_of)
        versions = {name: version.version for name, version in pinned.items()}
        cipher = open_cipher(self._settings)
        # What is not the latest version may expire at any moment; while we read it, nothing is moved.
        undisturbed = nullcontext() if as_of is None else self._warehouse.sweeping.shared()
        limit = QUERIES.of(self._settings.queries_per_minute)
        with undisturbed, audited(self._records, cipher, question, versions, limit) as run:
            answer = self._engine.run(
                query,
                views_of(pinned),
                dataset=dataset,
                timeout_seconds=timeout_seconds,
                page=page,
                page_size=page_size,
            )
            _check_page_exists(answer, page, page_size)
            run.row_count = answer.table.num_rows
        return QueryResult(answer.table, _result_dto(answer, run, dataset, versions, page, page_size))

    def submit_request(self, user: User, dataset: str, query: str, client_ip: str | None = None) -> UUID:
        """Store a query to be run by another process, and return the id that it is run by.

        Raises:
            UsageError: unknown dataset, or a query that is too long.
            NotPermittedError: the user may not query the dataset now; audited.
        """
        find_dataset(dataset)
        check_size(query)
        self._permit(user, Question(user.user_id, dataset, query, client_ip))
        return deferred.submit(self._records, open_cipher(self._settings), user.user_id, dataset, query)

    def run_request(self, request_id: UUID) -> QueryResult:
        """Run a submitted query in its owner's name, and keep the first page as a Parquet file.

        Raises:
            UsageError: no such request, or it runs or is done already.
            PlatformError: as `execute_query`; the request's state is failed then.
        """
        query = deferred.claim(self._records, open_cipher(self._settings), request_id)

        def execute() -> QueryResult:
            owner = user_named(self._settings, self._records, query.user_id)
            return self.execute_query(owner, query.dataset, query.sql)

        exports = self._settings.warehouse_root / "exports"
        return deferred.finish(self._records, exports, query, execute, lambda result: result.table)

    def request_result(self, user: User, request_id: UUID) -> pa.Table:
        """The page that a submitted query left, for its owner and under the permissions of now.

        Raises:
            UsageError: the user has no such request, or it has no result.
            NotPermittedError: the user may no longer query the dataset.
        """
        dataset, file = deferred.result_of(self._records, user.user_id, request_id)
        require(user, Action.QUERY_DATA, dataset)
        return pq.read_table(file)  # pyright: ignore[reportUnknownMemberType] - partial stubs

    def _permit(self, user: User, question: Question) -> None:
        if not decide(user, Action.QUERY_DATA, question.dataset).allowed:
            refuse(self._records, open_cipher(self._settings), question)
        require(user, Action.QUERY_DATA, question.dataset)


@cache
def shared_engine(require_sandbox: bool) -> QueryEngine:  # noqa: FBT001 - the key of a cache
    """The process's engine; its fork server is started by the first query and ended with the process."""
    engine = QueryEngine(require_sandbox=require_sandbox)
    atexit.register(engine.close)
    return engine


def _within(what: str, value: int, largest: int) -> None:
    if not 1 <= value <= largest:
        raise UsageError(f"The {what} must be between 1 and {largest:,}, not {value:,}.")


def _pages(answer: EnginePage, page_size: int) -> int | None:
    return max(1, math.ceil(answer.rows_counted / page_size)) if answer.counted_all else None


def _check_page_exists(answer: EnginePage, page: int, page_size: int) -> None:
    pages = _pages(answer, page_size)
    if pages is not None and page > pages:
        raise UsageError(
            f"There is no page {page:,}: the result has {pages:,} page{'' if pages == 1 else 's'} of up to "
            f"{page_size:,} rows."
        )


def _result_dto(
    answer: EnginePage, run: AuditedRun, dataset: str, versions: dict[str, int], page: int, page_size: int
) -> QueryResultDTO:
    return QueryResultDTO(
        query_id=run.audit_id,
        dataset=dataset,
        versions=versions,
        columns=[ColumnDTO(name=name, type=dtype) for name, dtype in answer.columns],
        row_count=answer.table.num_rows,
        page=page,
        pages=_pages(answer, page_size),
        total_rows=answer.rows_counted,
        total_is_minimum=not answer.counted_all,
        duration_ms=run.duration_ms,
        remaining_queries=run.remaining,
    )
