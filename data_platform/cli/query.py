"""`data-platform query`: one page of a governed query over one dataset."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from data_platform.cli.options import AsOfText
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.parameters import Params, parameters_of
from data_platform.cli.remote_explorer import RemoteExplorer
from data_platform.cli.rows import print_fitting
from data_platform.cli.services import open_services
from data_platform.cli.session import Session
from data_platform.client.names import distinct_names
from data_platform.errors import PlatformError, UsageError
from data_platform.governance.dto import QueryPlanDTO, QueryResultDTO
from data_platform.governance.explorer import MAX_PAGE_ROWS, MAX_TIMEOUT_SECONDS, DataExplorerService, QueryResult
from data_platform.governance.permissions import User
from data_platform.governance.result_csv import write_rows
from data_platform.governance.result_rows import row_objects, row_values
from data_platform.warehouse.as_of import parse_as_of


class Format(StrEnum):
    """How the rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def query(  # noqa: PLR0913 - the options of the command
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT over the dataset's tables.")],
    *,
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Such as crsp; only its tables can be named.")],
    as_of: AsOfText = None,
    output_format: Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    params: Params = None,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=MAX_PAGE_ROWS, help="Rows a page.")] = MAX_PAGE_ROWS,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=MAX_TIMEOUT_SECONDS, help="Seconds after which the query is stopped; 30 unless said."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pages, up to 100,000 rows.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would read, and read nothing.")] = False,
    as_job: Annotated[bool, typer.Option("--job", help="Run it as Dagster's query_job and show its result.")] = False,
) -> None:
    """Query one dataset. Every query is permitted, limited and audited; the answer is one page of rows.

    Exit codes: 2 not a valid query, 3 not permitted, 4 rate limited, 5 timed out.
    """
    chosen = Format.JSON if as_json else output_format
    if dry_run:
        _check_dry_run(chosen, as_job=as_job)
    if as_job:
        _check_job(page, timeout)
    if chosen is Format.PARQUET and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", hint="Redirect it: … --format parquet > result.parquet")
    if everything and page != 1:
        raise UsageError("--all prints every page.", hint="Leave --page out.")
    when = parse_as_of(as_of) if as_of is not None else None
    bound = parameters_of(params)
    with open_services() as services:
        user, service = services.user, services.explorer
        if dry_run:
            print_plan(service.dry_run(user, dataset, sql, when, bound), as_json=chosen is Format.JSON)
            return
        if as_job:
            if services.session is None or not isinstance(service, DataExplorerService):
                raise UsageError("--job runs a query on this machine, and DATA_PLATFORM_URL names a server.")
            request_id = service.submit_query(user, dataset, sql, when, bound).id
            run_as_job(services.session, request_id)
            result = service.get_result(user, request_id, page_size=MAX_PAGE_ROWS if everything else page_size)
        else:
            result = service.execute_query(
                user,
                dataset,
                sql,
                timeout_seconds=MAX_TIMEOUT_SECONDS if timeout is None else timeout,
                page=page,
                page_size=MAX_PAGE_ROWS if everything else page_size,
                as_of=when,
                parameters=bound,
            )
        rows = all_pages(service, user, result) if everything else result.table
        say(summary(result.dto, rows.num_rows if everything else None))
    _print(rows, chosen)


def _check_dry_run(chosen: Format, *, as_job: bool) -> None:
    if as_job:
        raise UsageError("--dry-run and --job exclude each other.", hint="Leave one of them out.")
    if chosen not in {Format.TABLE, Format.JSON}:
        raise UsageError(
            f"What --dry-run finds can't be written as {chosen.value}.", hint="Leave --format out, or take --json."
        )


def _check_job(page: int, timeout: float | None) -> None:
    if page != 1:
        raise UsageError("--job shows the first page.", hint="Leave --page out, or print every page with --all.")
    if timeout is not None:
        raise UsageError(
            f"--job always has the limit of {MAX_TIMEOUT_SECONDS:g} seconds.", hint="Leave --timeout or --job out."
        )


def all_pages(service: DataExplorerService | RemoteExplorer, user: User, first: QueryResult) -> pa.Table:
    """The rows of this page and of those that its cursor leads to; says so when there are more than are kept."""
    tables, last = [first.table], first.dto
    while last.cursor is not None:
        following = service.next_page(user, last.cursor)
        tables.append(following.table)
        last = following.dto
    found = pa.concat_tables(tables)
    if last.truncated:
        say(f"These are the first {found.num_rows:,} rows, the most that are given out; filter to see the others.")
    return found


def print_plan(plan: QueryPlanDTO, *, as_json: bool) -> None:
    """Print what a dry run found."""
    if as_json:
        print_json(plan)
        return
    print_table("Columns of the result", ["Column", "Type"], [[each.name, each.type] for each in plan.columns])
    versions = ", ".join(f"{table} version {version}" for table, version in plan.versions.items()) or "no table"
    guess = "an unknown number of" if plan.estimated_rows is None else f"about {plan.estimated_rows:,}"
    say(
        f"It would read {versions}, at most {plan.estimated_bytes:,} bytes, and answer with {guess} rows. "
        f"Nothing was read. {plan.remaining_queries} more queries this minute."
    )


def summary(dto: QueryResultDTO, printed: int | None = None) -> str:
    """What was read and how much of it this is: so many rows of all pages, or else this page."""
    versions = ", ".join(f"{table} version {version}" for table, version in dto.versions.items()) or "no table"
    if printed is not None:
        whole = _rows(printed)
    elif dto.total_is_minimum:
        whole = f"page {dto.page:,}; the result has more than {dto.total_rows:,} rows"
    elif dto.pages == 1:
        whole = _rows(dto.row_count)
    else:
        whole = f"page {dto.page:,} of {dto.pages:,}: {dto.row_count:,} of {dto.total_rows:,} rows"
    remaining = f"{dto.remaining_queries} more queries this minute"
    return f"{whole}, {dto.duration_ms:,} ms, from {versions}; {remaining}."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def run_as_job(session: Session, request_id: UUID) -> None:
    """Run `query_job` for a request that was stored.

    Raises:
        PlatformError: whatever the query itself raises.
    """
    from data_platform.definitions import build_definitions  # noqa: PLC0415 - Dagster takes seconds to import
    from data_platform.orchestration.instance import open_instance  # noqa: PLC0415 - see above
    from data_platform.orchestration.launching import run_failure, run_query_job  # noqa: PLC0415 - see above
    from data_platform.orchestration.resource import Platform, watched  # noqa: PLC0415 - see above

    errors: list[PlatformError] = []
    platform = Platform(session.settings, session.records, session.warehouse)
    definitions = build_definitions(session.settings, {"platform": watched(platform, errors)}, pooled=False)
    with open_instance(session.settings, session.records.databases) as instance:
        tags = {"data_platform/user": session.user.user_id}
        success, run_id = run_query_job(definitions, instance, request_id, tags)
    if errors or not success:
        raise errors[0] if errors else run_failure("query_job", run_id)
    say(f"Request {request_id} ran as Dagster run {run_id}.")


def print_rows(title: str, table: pa.Table) -> None:
    """Print the rows of a result for a person."""
    rows = [list(row) for row in row_values(table)]
    print_fitting(title, table.column_names, rows, "select fewer, or take --format csv or json")


def _print(table: pa.Table, chosen: Format) -> None:
    rows = distinct_names(table)
    try:
        _write(rows, chosen)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        types = ", ".join(f"{name} {kind}" for name, kind in zip(rows.column_names, rows.schema.types, strict=True))
        raise UsageError(
            f"A result with columns of these types can't be written as {chosen.value}: {types}.",
            hint="Cast lists, structs, intervals and BLOB to VARCHAR, or take --format json.",
        ) from None
    sys.stdout.flush()


def _write(rows: pa.Table, chosen: Format) -> None:
    if chosen is Format.JSON:
        print_json(row_objects(rows))
    elif chosen is Format.CSV:
        write_rows(rows, sys.stdout.buffer)
    elif chosen is Format.PARQUET:
        pq.write_table(rows, sys.stdout.buffer)  # pyright: ignore[reportUnknownMemberType] - partial stubs
    else:
        print_rows("", rows)
