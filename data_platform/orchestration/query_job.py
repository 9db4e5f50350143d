"""The query and export jobs: governed statements as Dagster runs. A run carries a request's id, never text or rows."""

# No postponed annotations here: Dagster reads them as objects.

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import dagster as dg
from pydantic import Field

from data_platform.errors import PlatformError, UsageError
from data_platform.governance.engine.outcomes import QueryRefusedError
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.identity import local_administrator
from data_platform.orchestration.resource import PlatformResource

_Answer = TypeVar("_Answer")


class QueryConfig(dg.Config):
    """Which query to run: a request by its id, or, on one's own machine, a dataset and SQL typed in here."""

    request_id: str = Field(default="", description="A request stored with `data-platform query --job`.")
    dataset: str = Field(default="", description="With sql: the one dataset to query.")
    sql: str = Field(default="", description="SQL typed into the Launchpad; it stays visible in the run's config.")


class ExportConfig(dg.Config):
    """Which export to run."""

    request_id: str = Field(default="", description="An export that was submitted.")


@dg.op(description="Run one governed query and keep its result for its owner; the run shows counts and timings.")
def run_query(
    context: dg.OpExecutionContext, config: QueryConfig, platform: dg.ResourceParam[PlatformResource]
) -> dg.Output[None]:
    """Run a request through the same service as every other query."""

    def run(service: DataExplorerService, identity: str) -> dict[str, Any]:
        if config.sql and identity != "local":
            raise UsageError(
                "SQL typed into the Launchpad stays visible to everyone there.",
                hint="Store a request with `data-platform query --job`, or ask with `data-platform query`.",
            )
        request_id = _request(config, service)
        dto = service.run_query(request_id).dto
        context.log.info(f"Request {request_id}: {dto.row_count:,} rows in {dto.duration_ms} ms")
        return {
            "request_id": str(request_id),
            "dataset": dto.dataset,
            "versions": dg.MetadataValue.json(dto.versions),
            "dagster/row_count": dto.row_count,
            "duration_ms": dto.duration_ms,
            "remaining_queries": dto.remaining_queries,
        }

    return dg.Output(None, metadata=_governed(context, platform, run))


@dg.op(description="Run one governed export and keep its file for its owner; the run shows counts, size and hash.")
def run_export(
    context: dg.OpExecutionContext, config: ExportConfig, platform: dg.ResourceParam[PlatformResource]
) -> dg.Output[None]:
    """Run a submitted export through the same service as every other."""

    def run(service: DataExplorerService, _identity: str) -> dict[str, Any]:
        dto = service.run_export(_identified(config.request_id))
        context.log.info(f"Export {dto.export_id}: {dto.row_count:,} rows in {dto.duration_ms} ms")
        return {
            "request_id": str(dto.export_id),
            "dataset": dto.dataset,
            "format": dto.format,
            "versions": dg.MetadataValue.json(dto.versions),
            "dagster/row_count": dto.row_count,
            "bytes": dto.bytes,
            "sha256": dto.sha256,
            "duration_ms": dto.duration_ms,
            "remaining_exports": dto.remaining_exports,
        }

    return dg.Output(None, metadata=_governed(context, platform, run))


@dg.job(  # pyright: ignore[reportUnknownMemberType] - an overload of Dagster with partly unknown metadata types
    description="A governed query: permission, rate limit, audit, one dataset, a page of rows for its owner."
)
def query_job() -> None:
    """One query."""
    run_query()


@dg.job(  # pyright: ignore[reportUnknownMemberType] - as above
    description="A governed export: permission, rate limit, audit, one dataset, a file for its owner."
)
def export_job() -> None:
    """One export."""
    run_export()


def _governed(
    context: dg.OpExecutionContext,
    platform: PlatformResource,
    run: Callable[[DataExplorerService, str], _Answer],
) -> _Answer:
    """Do it with an open service; what goes wrong is told to the resource and fails the run with one clear error."""
    try:
        _refuse_references(context.run.run_config, context.op.name)
        with platform.open() as opened:
            return run(DataExplorerService(opened.records, opened.warehouse, opened.settings), opened.settings.identity)
    except PlatformError as error:
        platform.report(error)
        raise dg.Failure(
            _shown(error, typed=bool(context.op_config.get("sql"))),
            metadata={"error": type(error).__name__, "exit_code": error.exit_code},
            allow_retries=False,
        ) from None


def _shown(error: PlatformError, *, typed: bool) -> str:
    """An error for everybody's eyes. What is wrong with a statement repeats its words, which are its owner's."""
    if isinstance(error, QueryRefusedError) and not typed:
        return f"The statement was refused: {error.problem.kind}. Its owner sees why: data-platform queries list --json"
    return str(error)


def _request(config: QueryConfig, service: DataExplorerService) -> UUID:
    """The request to run; SQL typed into the Launchpad becomes one of the local administrator."""
    if config.request_id:
        return _identified(config.request_id)
    if not (config.dataset and config.sql):
        raise UsageError("Nothing to run.", hint="Give a request_id, or a dataset and sql.")
    return service.submit_query(local_administrator(), config.dataset, config.sql).id


def _identified(request_id: str) -> UUID:
    if not request_id:
        raise UsageError("Nothing to run.", hint="Give a request_id.")
    try:
        return UUID(request_id)
    except ValueError:
        raise UsageError("The request_id is no request id.", hint="It looks like a UUID.") from None


def _refuse_references(run_config: Mapping[str, Any], op: str) -> None:
    """Dagster fills ``{env: NAME}`` from the environment, where passwords are, and errors name what they were given."""
    given = run_config.get("ops", {}).get(op, {}).get("config", {})
    if not all(isinstance(value, str) for value in given.values()):
        raise UsageError("A query's configuration is plain text; references to the environment are not taken.")
