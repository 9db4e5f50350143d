"""The query job: a governed query as a Dagster run. The run carries a request's id, never its text or its rows."""

# No postponed annotations here: Dagster reads them as objects.

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import dagster as dg
from pydantic import Field

from data_platform.errors import PlatformError, UsageError
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.identity import local_administrator
from data_platform.orchestration.resource import PlatformResource


class QueryConfig(dg.Config):
    """Which query to run: a request by its id, or, on one's own machine, a dataset and SQL typed in here."""

    request_id: str = Field(default="", description="A request stored with `data-platform query --job`.")
    dataset: str = Field(default="", description="With sql: the one dataset to query.")
    sql: str = Field(default="", description="SQL typed into the Launchpad; it stays visible in the run's config.")


@dg.op(description="Run one governed query and keep its result for its owner; the run shows counts and timings.")
def run_query(
    context: dg.OpExecutionContext, config: QueryConfig, platform: dg.ResourceParam[PlatformResource]
) -> dg.Output[None]:
    """Run a request through the same service as every other query."""
    try:
        _refuse_references(context.run.run_config)
        with platform.open() as opened:
            service = DataExplorerService(opened.records, opened.warehouse, opened.settings)
            if config.sql and opened.settings.identity != "local":
                raise UsageError(
                    "SQL typed into the Launchpad stays visible to everyone there.",
                    hint="Store a request with `data-platform query --job`, or ask with `data-platform query`.",
                )
            request_id = _request(config, service)
            result = service.run_request(request_id)
    except PlatformError as error:
        platform.report(error)
        raise dg.Failure(
            str(error), metadata={"error": type(error).__name__, "exit_code": error.exit_code}, allow_retries=False
        ) from None
    dto = result.dto
    context.log.info(f"Request {request_id}: {dto.row_count:,} rows in {dto.duration_ms} ms")
    return dg.Output(
        None,
        metadata={
            "request_id": str(request_id),
            "dataset": dto.dataset,
            "versions": dg.MetadataValue.json(dto.versions),
            "dagster/row_count": dto.row_count,
            "duration_ms": dto.duration_ms,
            "remaining_queries": dto.remaining_queries,
        },
    )


@dg.job(  # pyright: ignore[reportUnknownMemberType] - an overload of Dagster with partly unknown metadata types
    description="A governed query: permission, rate limit, audit, one dataset, a page of rows for its owner."
)
def query_job() -> None:
    """One query."""
    run_query()


def _request(config: QueryConfig, service: DataExplorerService) -> UUID:
    """The request to run; SQL typed into the Launchpad becomes one of the local administrator."""
    if config.request_id:
        try:
            return UUID(config.request_id)
        except ValueError:
            raise UsageError("The request_id is no request id.", hint="It looks like a UUID.") from None
    if not (config.dataset and config.sql):
        raise UsageError("Nothing to run.", hint="Give a request_id, or a dataset and sql.")
    return service.submit_query(local_administrator(), config.dataset, config.sql).id


def _refuse_references(run_config: Mapping[str, Any]) -> None:
    """Dagster fills ``{env: NAME}`` from the environment, where passwords are, and errors name what they were given."""
    given = run_config.get("ops", {}).get("run_query", {}).get("config", {})
    if not all(isinstance(value, str) for value in given.values()):
        raise UsageError("A query's configuration is plain text; references to the environment are not taken.")
