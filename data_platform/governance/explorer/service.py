"""The facade behind every query: what the command line, the HTTP interface and the orchestrated jobs call."""

from __future__ import annotations

from uuid import UUID

from data_platform.governance.dto import (
    DataPreviewDTO,
    DatasetInfoDTO,
    DatasetSchemaDTO,
    ExportFormat,
    ExportJobDTO,
    QueryPlanDTO,
    QueryRequestDTO,
    QuotaDTO,
    ReplayDTO,
)
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.engine.parameters import Parameters
from data_platform.governance.explorer import (
    browsing,
    exports,
    pages,
    plans,
    queries,
    replaying,
    requests,
    running_requests,
)
from data_platform.governance.explorer.asked import MAX_PAGE_ROWS, MAX_TIMEOUT_SECONDS, Asked, QueryResult
from data_platform.governance.explorer.door import Door, shared_engine
from data_platform.governance.explorer.export_files import ExportFile
from data_platform.governance.permissions import User
from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse.as_of import AsOf
from data_platform.warehouse.warehouse import Warehouse


class DataExplorerService:
    """Everything a caller can do with data of a dataset; `engine` is shared by the process unless one is given.

    Every method raises `NotPermittedError` for those who may not, naming the permission that is missing, and
    `DatabaseUnavailableError` when nothing could be recorded, because then nothing is shown. A dataset that the catalog
    does not have is a `UsageError`. An id of somebody else's is answered as one that does not exist.
    """

    def __init__(
        self, records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine | None = None
    ) -> None:
        self._door = Door(records, warehouse, settings, engine or shared_engine(settings.require_sandbox))

    def list_datasets(self, user: User) -> list[DatasetInfoDTO]:
        """The datasets that the user has the permission of, with the latest version of each table."""
        return browsing.list_datasets(self._door, user)

    def describe_dataset(self, user: User, dataset: str) -> DatasetSchemaDTO:
        """The tables of a dataset with type, unit, description and share of missing values of each column."""
        return browsing.describe(self._door, user, dataset)

    def get_dataset_preview(
        self, user: User, dataset: str, limit: int = 100, table: str | None = None, client_ip: str | None = None
    ) -> DataPreviewDTO:
        """The first rows of a table, by default of the dataset's first synced one. Audited and limited as a query.

        Raises:
            UsageError: for an unknown table, or a limit outside 1 to 1,000.
            RateLimitedError, PlatformError: as `execute_query`.
        """
        return browsing.preview(self._door, user, dataset, limit, table, client_ip)

    def quota(self, user: User) -> QuotaDTO:
        """How many queries and exports the limits leave the user now; asking takes none."""
        return browsing.quota(self._door, user)

    def execute_query(  # noqa: PLR0913, PLR0917 - the signature is fixed
        self,
        user: User,
        dataset: str,
        query: str,
        timeout_seconds: float = MAX_TIMEOUT_SECONDS,
        page: int = 1,
        page_size: int = MAX_PAGE_ROWS,
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        client_ip: str | None = None,
    ) -> QueryResult:
        """Run one SELECT over the tables of one dataset and return one page of its result.

        A result with more rows than the page is kept for 24 hours, up to 100,000 rows, and its cursor leads on.

        Args:
            user: in whose name; see `identity.current_user`.
            dataset: only its tables can be named, and those of reference datasets that the user may see.
            query: DuckDB SQL, at most 16 KiB.
            timeout_seconds: at most 30.
            page: counts from 1.
            page_size: rows a page, at most 10,000.
            as_of: the version, tag or moment to read as of instead of the latest version.
            parameters: the values of ``?`` and ``$1``, or of ``$name``.
            client_ip: for the audit.

        Raises:
            UsageError: no such version or page, nothing synced yet; SQL that is no single SELECT, does not parse, or
                names what does not exist or is not permitted, with line and column; parameters that do not fit.
            NotPermittedError: the refusal is audited.
            RateLimitedError: with the seconds to wait; audited.
            QueryTimeoutError: the query was stopped.
            QueryCancelledError: its user cancelled it, or an administrator did.
            ConfigurationError: no key to encrypt the audited text with.
            PlatformError: out of memory, no free worker, or the engine failed.
        """
        asked = Asked(dataset, query, parameters, as_of, client_ip)
        return queries.execute(self._door, user, asked, timeout_seconds=timeout_seconds, page=page, page_size=page_size)

    def next_page(self, user: User, cursor: str, client_ip: str | None = None) -> QueryResult:
        """The page that a cursor leads to, of the result as it was when the query ran. Audited; takes no query.

        Raises:
            UsageError: a cursor that was changed, is older than 24 hours, or was given to somebody else: always the
                same words.
        """
        return pages.follow(self._door, user, cursor, client_ip)

    def dry_run(
        self,
        user: User,
        dataset: str,
        query: str,
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        client_ip: str | None = None,
    ) -> QueryPlanDTO:
        """What the query would answer with, without reading a row: columns, versions, estimated rows and bytes.

        Counts as a query, so that nobody can ask the parser without end.

        Raises:
            UsageError, RateLimitedError, PlatformError: as `execute_query`.
        """
        return plans.dry_run(self._door, user, Asked(dataset, query, parameters, as_of, client_ip))

    def submit_query(
        self,
        user: User,
        dataset: str,
        query: str,
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        client_ip: str | None = None,
        *,
        by_server: bool = False,
    ) -> QueryRequestDTO:
        """Store a query that `run_query` runs later, in this process or another; `by_server`, in this server alone.

        Raises:
            UsageError: a query that is too long, or parameters that can't be kept.
            RateLimitedError: 20 queries and exports of the user wait or run already.
        """
        asked = Asked(dataset, query, parameters, as_of, client_ip)
        return requests.submit(self._door, user, asked, by_server=by_server)

    def submit_export(  # noqa: PLR0913 - as `execute_query`
        self,
        user: User,
        dataset: str,
        query: str,
        format: ExportFormat = "csv",  # noqa: A002 - the name is fixed
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        client_ip: str | None = None,
        *,
        escape_formulas: bool = False,
        by_server: bool = False,
    ) -> QueryRequestDTO:
        """Store an export that `run_export` runs later, as `submit_query` does.

        Raises:
            UsageError, RateLimitedError: as `submit_query`, and for an unknown format.
        """
        asked = Asked(dataset, query, parameters, as_of, client_ip)
        written = exports.as_written(format, escape_formulas=escape_formulas)
        return requests.submit(self._door, user, asked, written, by_server=by_server)

    def run_query(self, request_id: UUID) -> QueryResult:
        """Run a submitted query in its owner's name, with the permissions that the owner has by then; keep the result.

        Raises:
            UsageError: no such query, or it runs, is done, or was cancelled already.
            PlatformError: as `execute_query`; the request's state is failed or cancelled then.
        """
        return running_requests.run_query(self._door, request_id)

    def run_export(self, request_id: UUID) -> ExportJobDTO:
        """Run a submitted export, the same way.

        Raises:
            UsageError: no such export, or it runs, is done, or was cancelled already.
            PlatformError: as `export_data`; the request's state is failed or cancelled then.
        """
        return running_requests.run_export(self._door, request_id)

    def get_request(self, user: User, request_id: UUID) -> QueryRequestDTO:
        """Where a query or export of the user stands.

        Raises:
            UsageError: the user has no such request.
        """
        return requests.get(self._door, user, request_id)

    def get_result(
        self, user: User, request_id: UUID, client_ip: str | None = None, *, page_size: int = MAX_PAGE_ROWS
    ) -> QueryResult:
        """The first page of a submitted query's result, under the permissions of now; its cursor leads on. Audited.

        Raises:
            UsageError: the user has no such request, or it has no result, or the result is older than 24 hours; a page
                size outside 1 to 10,000.
        """
        return pages.first(self._door, user, request_id, client_ip, page_size)

    def cancel(self, user: User, request_id: UUID) -> QueryRequestDTO:
        """Stop a query or export of the user, whichever process runs it; one that has ended already stays as it is.

        Raises:
            UsageError: the user has no such request.
        """
        return requests.cancel(self._door, user, request_id)

    def history(self, user: User, limit: int = 50, dataset: str | None = None) -> list[QueryRequestDTO]:
        """The user's queries and exports of the last 24 hours, newest first; those of datasets they still may see.

        Raises:
            UsageError: a limit outside 1 to 1,000.
        """
        return requests.history(self._door, user, limit, dataset)

    def list_running(self, user: User) -> list[QueryRequestDTO]:
        """What runs or waits now, everybody's, oldest first, without the texts. For administrators."""
        return requests.list_running(self._door, user)

    def kill(self, user: User, request_id: UUID, reason: str) -> QueryRequestDTO:
        """Stop anybody's query or export, for a reason that its user is told. For administrators; audited.

        Raises:
            UsageError: there is no such request, it has ended already, or no reason is given.
        """
        return requests.kill(self._door, user, request_id, reason)

    def export_data(
        self,
        user: User,
        dataset: str,
        query: str,
        format: ExportFormat = "csv",  # noqa: A002 - the name is fixed
        as_of: AsOf | int | None = None,
        parameters: Parameters | None = None,
        client_ip: str | None = None,
        *,
        escape_formulas: bool = False,
    ) -> ExportJobDTO:
        """Write the whole result of a query to a file for its user, with a manifest beside it; both stay 24 hours.

        Needs the permissions to query and to export. Up to 60 seconds and 100,000 rows. `escape_formulas` puts an
        apostrophe before text in a CSV that a spreadsheet would take for a formula.

        Raises:
            UsageError: as `execute_query`; a result with more rows, of which nothing is written; columns of types that
                the format has no room for.
            RateLimitedError: at five exports an hour, with the seconds to wait; audited.
            PlatformError: as `execute_query`.
        """
        asked = Asked(dataset, query, parameters, as_of, client_ip)
        written = exports.as_written(format, escape_formulas=escape_formulas)
        return exports.export(self._door, user, asked, written)

    def open_export(
        self, user: User, export_id: UUID, client_ip: str | None = None, *, manifest_only: bool = False
    ) -> ExportFile:
        """The file of an export, for its owner and under the permissions of now.

        Audited as a download, or with `manifest_only` as what it is then.

        Raises:
            UsageError: the user has no such export, it is not done, or it is older than 24 hours.
        """
        return exports.open_export(self._door, user, export_id, client_ip, manifest_only=manifest_only)

    def replay(self, user: User, query_id: int) -> ReplayDTO:
        """Run an audited query again on the versions that it read and compare the results. For administrators; audited.

        Raises:
            UsageError: there is no such query, or it had no result.
            ConfigurationError: its text is under a key that is not given.
            ChecksumMismatchError: a version can't be put together any more.
            RateLimitedError, QueryTimeoutError, PlatformError: as `execute_query`: it is a query of the administrator.
        """
        return replaying.replay(self._door, user, query_id)
