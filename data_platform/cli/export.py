"""`data-platform export`: the whole result of a governed query as a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from data_platform.cli.options import AsOfText, Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.parameters import Params, parameters_of
from data_platform.cli.services import open_services
from data_platform.errors import UsageError
from data_platform.governance.dto import ExportJobDTO
from data_platform.warehouse.as_of import parse_as_of


def export(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT over the dataset's tables.")],
    *,
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Such as crsp; only its tables can be named.")],
    chosen: Annotated[Literal["csv", "parquet"], typer.Option("--format", "-f", help="What to write.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to, or - for standard output; here unless given.")
    ] = None,
    as_of: AsOfText = None,
    params: Params = None,
    escape_formulas: Annotated[
        bool, typer.Option("--escape-formulas", help="In CSV, keep spreadsheets from running text as formulas.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Export up to 100,000 rows, with a manifest that says what they are. More are refused, never cut.

    Exit codes: 2 not a valid query, or too many rows, 3 not permitted, 4 rate limited, 5 timed out.
    """
    to_stdout = output is not None and str(output) == "-"
    if to_stdout and as_json:
        raise UsageError("The rows and the JSON document would mix.", hint="Leave out --json, or name a file.")
    if output is not None and not to_stdout:
        _free(output)
        _free(_manifest_of(output))
    when = parse_as_of(as_of) if as_of is not None else None
    with open_services() as services:
        user, service = services.user, services.explorer
        job = service.export_data(
            user, dataset, sql, chosen, when, parameters_of(params), escape_formulas=escape_formulas
        )
        file = service.open_export(user, job.export_id)
        if to_stdout:
            with file.path.open("rb") as rows:
                shutil.copyfileobj(rows, sys.stdout.buffer)
            sys.stdout.flush()
            place = None
        else:
            place = Path(job.file_name) if output is None else output
            _copy(file.path, place)
            _copy(file.manifest_path, _manifest_of(place))
    _tell(job, place, as_json=as_json)


def _tell(job: ExportJobDTO, place: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json({**job.model_dump(mode="json"), "path": None if place is None else str(place)})
        return
    versions = ", ".join(f"{table} version {version}" for table, version in job.versions.items())
    if place is not None:
        print_table(
            f"Exported {job.row_count:,} rows",
            ["What", "Value"],
            [
                ["File", str(place)],
                ["Manifest", str(_manifest_of(place))],
                ["Read from", versions or "no table"],
                ["Bytes", f"{job.bytes:,}"],
                ["SHA-256", job.sha256],
                ["Licence", job.licence],
            ],
        )
    say(f"Export {job.export_id}: {job.row_count:,} rows in {job.duration_ms:,} ms; "
        f"{job.remaining_exports} more exports this hour.")  # fmt: skip


def _manifest_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")


def _free(path: Path) -> None:
    """Refuse a place that is taken, before anything is exported.

    Raises:
        UsageError: for a file or folder that is there, or a folder that is not.
    """
    if path.exists():
        raise UsageError(f"{path} is there already.", hint="Name another file, or move that one away.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.absolute().parent}.", hint="Make it first.")


def _copy(source: Path, place: Path) -> None:
    """Copy for the person's eyes only: what is licensed is not for everybody on the machine."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, source.open("rb") as rows:
        shutil.copyfileobj(rows, file)
