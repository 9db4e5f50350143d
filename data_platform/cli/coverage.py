"""`data-platform coverage`: which dates and how many symbols each table has, and where dates are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from data_platform.catalog import TABLES, Table, find_table
from data_platform.cli.options import Json, given_path
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import Services, open_services
from data_platform.cli.session import open_session
from data_platform.errors import UsageError
from data_platform.governance.permissions import Action, require
from data_platform.governance.quality_dto import CoverageDTO
from data_platform.sync.context import SyncContext
from data_platform.sync.remembering import refresh_coverage

_GAPS_SHOWN: Final = 3


def coverage(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="One table, by partition.")] = None,
    *,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=given_path, help="Draw the table's coverage as a PNG.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Look at the newest published files again.")] = False,
    as_json: Json = False,
) -> None:
    """Show what is covered: every table at a glance, or the partitions of one with their gaps."""
    if (chart or refresh) and table is None:
        raise UsageError("A chart and --refresh are for one table.", hint="Name it: data-platform coverage crsp_daily")
    if refresh and table is not None:
        _refresh(find_table(table))
    with open_services() as services:
        found = _found(services, table)
    if chart is not None and table is not None:
        _draw(chart, find_table(table).title, found)
    if as_json:
        print_json(found)
    elif not found:
        say(f"No data available. Start with: data-platform sync {table or 'TABLE'} --all")
    elif table is None:
        _print_tables(found)
    else:
        _print_partitions(table, found)


def _found(services: Services, table: str | None) -> list[CoverageDTO]:
    user, service = services.user, services.quality
    if table is None:
        if services.session is not None:
            require(user, Action.VIEW_DATA_QUALITY)
        return [each for dataset in services.datasets() for each in service.get_coverage(user, dataset)]
    return service.get_coverage(user, find_table(table).dataset, table)


def _refresh(table: Table) -> None:
    with open_session() as session:
        require(session.user, Action.TRIGGER_DATA_SYNC, table.dataset)
        refresh_coverage(SyncContext(session.settings, session.warehouse, session.records), table)


def _print_tables(found: list[CoverageDTO]) -> None:
    by_table = {name: [each for each in found if each.table_name == name] for name in TABLES}
    print_table(
        "Coverage",
        ["Dataset", "Table", "Partitions", "From", "To", "Rows", "Symbols at most", "Dates", "Dates missing"],
        [
            [
                parts[0].dataset,
                name,
                len(parts),
                min((each.start_date for each in parts if each.start_date), default=None),
                max((each.end_date for each in parts if each.end_date), default=None),
                sum(each.row_count for each in parts),
                max((each.symbols for each in parts if each.symbols is not None), default=None),
                sum(each.dates for each in parts),
                None if parts[0].missing_dates is None else sum(each.missing_dates or 0 for each in parts),
            ]
            for name, parts in by_table.items()
            if parts
        ],
    )


def _print_partitions(table: str, found: list[CoverageDTO]) -> None:
    print_table(
        f"Coverage of {table}",
        ["Partition", "Version", "From", "To", "Rows", "Symbols", "Dates", "Missing", "Gaps"],
        [
            [
                each.partition,
                each.manifest_version,
                each.start_date,
                each.end_date,
                each.row_count,
                each.symbols,
                each.dates,
                each.missing_dates,
                _gaps(each),
            ]
            for each in found
        ],
    )


def _gaps(each: CoverageDTO) -> str:
    shown = [
        gap.first.isoformat() if gap.first == gap.last else f"{gap.first.isoformat()} to {gap.last.isoformat()}"
        for gap in each.gaps[:_GAPS_SHOWN]
    ]
    more = len(each.gaps) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _draw(path: Path, title: str, found: list[CoverageDTO]) -> None:
    from data_platform.quality.coverage import Gap  # noqa: PLC0415 - brings polars
    from data_platform.quality.coverage_chart import draw_partitions  # noqa: PLC0415 - as above

    png = draw_partitions(
        f"{title}: coverage",
        (
            (each.symbols_by_month, [Gap(gap.first, gap.last, gap.dates) for gap in each.gaps], each.missing_dates)
            for each in found
        ),
    )
    if png is None:
        raise UsageError("There is nothing to draw: the table's rows have no dates, or it was never synced.")
    try:
        path.write_bytes(png)
    except OSError as error:
        raise UsageError(
            f"The chart can't be written to {path}: {error.strerror}.", hint="Name another file."
        ) from None
    say(f"Written to {path}.")
