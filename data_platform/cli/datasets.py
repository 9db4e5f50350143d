"""`data-platform datasets` and `preview`: what there is, what a table's columns mean, and its first rows."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.rows import print_fitting
from data_platform.cli.services import open_services
from data_platform.governance.dto import DatasetInfoDTO, DatasetSchemaDTO
from data_platform.governance.result_rows import plain

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset, such as crsp.")]


def datasets(
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="One dataset, by column.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show the datasets that you may see: their tables, or the columns of one with units and missing values."""
    with open_services() as services:
        if dataset is None:
            found = services.explorer.list_datasets(services.user)
        else:
            found = services.explorer.describe_dataset(services.user, dataset)
    if as_json:
        print_json(found)
    elif isinstance(found, DatasetSchemaDTO):
        _print_columns(found)
    else:
        _print_tables(found)


def preview(
    dataset: DatasetName,
    *,
    table: Annotated[str | None, typer.Option(help="Which table; by default the first synced one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many rows.")] = 10,
    as_json: Json = False,
) -> None:
    """Show the first rows of a table. It is a query: permitted, limited and audited as one."""
    with open_services() as services:
        found = services.explorer.get_dataset_preview(services.user, dataset, limit, table)
    if as_json:
        print_json(plain(found.rows))
        return
    names = [column.name for column in found.columns]
    rows = [[row[name] for name in names] for row in found.rows]
    print_fitting(f"{found.table}, version {found.manifest_version}", names, rows, "take --json, or query some of them")
    say(f"{len(found.rows):,} of {found.total_rows:,} rows.")


def _print_tables(found: list[DatasetInfoDTO]) -> None:
    if not found:
        say("You may see no dataset. Ask an administrator to grant you one.")
        return
    print_table(
        "Datasets",
        ["Dataset", "Table", "What", "Rows", "From", "To"],
        [
            [
                each.name,
                table.name,
                table.title,
                table.row_count,
                table.start_date,
                table.end_date,
            ]
            for each in found
            for table in each.tables
        ],
    )


def _print_columns(found: DatasetSchemaDTO) -> None:
    for table in found.tables:
        print_table(
            f"{table.name}: {table.title}",
            ["Column", "Type", "Unit", "Missing", "What"],
            [
                [
                    column.name,
                    column.type,
                    column.unit,
                    None if column.null_share is None else f"{column.null_share:.1%}",
                    column.description,
                ]
                for column in table.columns
            ],
        )
    say(found.licence)
