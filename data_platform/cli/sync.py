"""`data-platform sync`: bring partitions of tables up to date, as real Dagster runs, watched from the terminal."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from data_platform.catalog import TABLES, Partitioning, Table, find_dataset, find_table
from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, say
from data_platform.cli.progress import SyncProgress
from data_platform.cli.session import Session, open_session
from data_platform.cli.sync_order import order_sync
from data_platform.cli.sync_report import Results, document, print_results
from data_platform.errors import NotPermittedError, PlatformError, UsageError
from data_platform.governance.manual_syncs import ManualSync, note_refusal
from data_platform.governance.permissions import Action, User, decide, require
from data_platform.settings import load_settings
from data_platform.sync import PartitionResult, SyncContext, SyncFailure, choose_partitions, partitions_of


def sync(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="A table, such as crsp_daily.", show_default=False)
    ] = None,
    partition: Annotated[
        list[str] | None, typer.Option("--partition", "-p", help="A partition, such as 2024; may be repeated.")
    ] = None,
    *,
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", help="Every table of a dataset, every partition.")
    ] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Every partition of the table; without one, every table you may sync.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Extract even what the source says has not changed.")] = False,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="Extract only what has changed; the default, said aloud.")
    ] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Sync partitions of tables: extract what changed, validate, publish a new version or quarantine.

    With DATA_PLATFORM_URL the server's queue runs it, and the command is back as soon as it is there.
    With DATA_PLATFORM_TOKEN it is a manual sync like any other: with a reason, and one a minute for all users.

    Exit codes: 0 done, 1 failed, 6 validation failed (quarantined), 7 locked by another writer.
    """
    if full and incremental:
        raise UsageError("--full and --incremental exclude each other.", hint="Leave one of them out.")
    if table is not None and partition and all_of_them:
        raise UsageError("--partition and --all exclude each other.", hint="Leave one of them out.")
    settings = load_settings()
    if settings.url is not None:
        order_sync(table, partition or [], reason, every=all_of_them, full=full, as_json=as_json)
        return
    with open_session(settings) as session:
        try:
            tables = chosen_tables(session.user, table, dataset, partition or [], all_of_them=all_of_them)
        except NotPermittedError as error:
            _note(session, table, dataset, partition or [], reason, error)
            raise
        today = dt.datetime.now(dt.UTC).date()
        work = [
            (
                each,
                choose_partitions(
                    each,
                    partitions_of(each, session.settings, today),
                    partition or [],
                    all_of_them=all_of_them or table is None,
                ),
            )
            for each in tables
        ]
        if session.settings.token is not None:
            _admit(session, work, reason)
        errors: list[PlatformError] = []
        documents: list[dict[str, object]] = []
        for each, partitions in work:
            results, error = run_sync(session, each, partitions, full=full, reason=reason)
            documents += [document(each, result) for result in results]
            errors += [error] if error else []
            errors += [result.error for result in results if isinstance(result, SyncFailure)]
            if not as_json:
                print_results(each, results)
            if error and len(work) > 1:
                say(f"{each.name}: {error}")
    if as_json:
        print_json(documents)
    if errors:
        raise errors[0]


def chosen_tables(
    user: User, table: str | None, dataset: str | None, partitions: list[str], *, all_of_them: bool
) -> list[Table]:
    """The tables that a request means, each of which the user may sync.

    Raises:
        UsageError: when it names none, or names them twice over.
        NotPermittedError: when the user may not sync a table that it names, or none at all.
    """
    if table is not None and dataset is not None:
        raise UsageError("A table and --dataset exclude each other.", hint="Leave one of them out.")
    if table is not None:
        named = find_table(table)
        require(user, Action.TRIGGER_DATA_SYNC, named.dataset)
        return [named]
    if dataset is None and not all_of_them:
        raise UsageError("Say what to sync.", hint="A table, --dataset with its name, or --all.")
    if partitions:
        raise UsageError("--partition goes with one table.", hint="Name the table, or leave the partition out.")
    if dataset is not None:
        require(user, Action.TRIGGER_DATA_SYNC, find_dataset(dataset).name)
        return list(find_dataset(dataset).tables)
    require(user, Action.TRIGGER_DATA_SYNC)
    return [each for each in TABLES.values() if decide(user, Action.TRIGGER_DATA_SYNC, each.dataset).allowed]


def _admit(session: Session, work: list[tuple[Table, list[str]]], reason: str) -> None:
    """Hold somebody who acts with a token to the rules; whoever has the machine could do without the command."""
    # As below: Dagster takes seconds to import.
    from data_platform.orchestration.launching import admit_command  # noqa: PLC0415 - see above

    admit_command(session.settings, session.records, session.user, work, reason)


def _note(
    session: Session,
    table: str | None,
    dataset: str | None,
    partitions: list[str],
    reason: str,
    error: NotPermittedError,
) -> None:
    """Record who was refused which tables."""
    tables = [find_table(table)] if table else list(find_dataset(dataset).tables if dataset else TABLES.values())
    wanted = ManualSync(tuple(tables), tuple(partitions), reason, "data-platform sync")
    note_refusal(session.records, session.user, wanted, error)


def run_sync(
    session: Session, table: Table, partitions: list[str], *, full: bool, reason: str
) -> tuple[Results, PlatformError | None]:
    """Sync partitions in Dagster runs of this process; the error, if any, that ended them before the last one."""
    # Dagster takes seconds to import, and the other commands do without it.
    from data_platform.definitions import build_definitions  # noqa: PLC0415 - see above
    from data_platform.orchestration.instance import open_instance  # noqa: PLC0415 - see above
    from data_platform.orchestration.launching import run_asset, run_failure  # noqa: PLC0415 - see above
    from data_platform.orchestration.resource import Platform, WatchedPlatform  # noqa: PLC0415 - see above

    results: Results = []
    errors: list[PlatformError] = []

    def listen(result: PartitionResult | PlatformError) -> None:
        if isinstance(result, PlatformError):
            errors.append(result)
        else:
            results.append(result)
            progress.finished(result)

    platform = Platform(session.settings, session.records, session.warehouse)
    tags = {"data_platform/user": session.user.user_id}
    config = {"full": full, "reason": reason}
    keys = [] if table.partitioning is Partitioning.WHOLE else partitions
    with (
        open_instance(session.settings, session.records.databases) as instance,
        SyncProgress(table.name, partitions) as progress,
    ):
        context = SyncContext(session.settings, session.warehouse, session.records, progress=progress.rows)
        definitions = build_definitions(
            session.settings, {"platform": WatchedPlatform(platform, context, listen)}, pooled=False
        )
        said = 0
        for success, run_id in run_asset(definitions, instance, table, keys, config=config, tags=tags):
            explained = bool(errors) or any(isinstance(result, SyncFailure) for result in results[said:])
            said = len(results)
            if not success and not explained:
                errors.append(run_failure(table.name, run_id))
            if errors:
                break
    return results, errors[0] if errors else None
