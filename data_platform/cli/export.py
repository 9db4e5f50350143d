"""`data-platform export`: the whole result of a governed query as a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from data_platform.cli.options import AsOfText, Json, given_path
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.parameters import Params, parameters_of
from data_platform.cli.services import open_services
from data_platform.client.places import format_of, unwritable
from data_platform.errors import UsageError
from data_platform.governance.dto import ExportFormat, ExportJobDTO
from data_platform.warehouse.as_of import parse_as_of


def export(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT over the dataset's tables.")],
    *,
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="Such as crsp; only its tables can be named.")],
    chosen: Annotated[
        ExportFormat | None,
        typer.Option("--format", "-f", help="What to write; unless said what the file's name ends with, or csv."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=given_path,
            help="Where to, or - for standard output; here unless given.",
        ),
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
    named = None if to_stdout else output
    written = _format(chosen, named)
    if named is not None:
        _free(named)
        _free(_manifest_of(named))
    elif not to_stdout:
        _check_folder(Path.cwd())
    when = parse_as_of(as_of) if as_of is not None else None
    with open_services() as services:
        user, service = services.user, services.explorer
        job = service.export_data(
            user, dataset, sql, written, when, parameters_of(params), escape_formulas=escape_formulas
        )
        file = service.open_export(user, job.export_id)
        if to_stdout:
            with file.path.open("rb") as rows:
                shutil.copyfileobj(rows, sys.stdout.buffer)
            sys.stdout.flush()
            place = None
        else:
            place = Path(job.file_name) if output is None else output
            copy_whole(file.path, place)
            copy_whole(file.manifest_path, _manifest_of(place))
    _tell(job, place, as_json=as_json)


def _tell(job: ExportJobDTO, place: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json({**job.model_dump(mode="json"), "path": None if place is None else str(place)})
        return
    rows = f"{job.row_count:,} row{'' if job.row_count == 1 else 's'}"
    versions = ", ".join(f"{table} version {version}" for table, version in job.versions.items())
    if place is not None:
        print_table(
            f"Exported {rows}",
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
    say(f"Export {job.export_id}: {rows} in {job.duration_ms:,} ms; "
        f"{job.remaining_exports} more exports this hour.")  # fmt: skip


def _manifest_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")


def _format(chosen: ExportFormat | None, place: Path | None) -> ExportFormat:
    """The format to write: the one that was chosen, else the one that the file's name tells.

    Raises:
        UsageError: when the two differ, or a name tells none.
    """
    if place is None:
        return chosen or "csv"
    if chosen is None:
        return format_of(place)
    ending = place.suffix.lower()[1:]
    if ending in {"csv", "parquet"} - {chosen}:
        raise UsageError(
            f"{place} would hold {chosen}, and its name says {ending}.",
            hint="Name another file, or leave --format out.",
        )
    return chosen


def _free(path: Path) -> None:
    """Refuse a place that is taken or can't be written to, before anything is exported.

    Raises:
        UsageError: for a file or folder that is there, a folder that is not, or one where no file can be made.
    """
    try:
        if path.exists():
            raise UsageError(f"{path} is there already.", hint="Name another file, or move that one away.")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"There is no folder {path.absolute().parent}.", hint="Make it first.")
        os.close(_make(path))
        path.unlink()
    except OSError as error:
        raise unwritable(path, error) from None


def _check_folder(folder: Path) -> None:
    """Refuse a folder where no file can be made.

    Raises:
        UsageError: for such a one.
    """
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(folder, error) from None


def _make(path: Path) -> int:
    """A new file for the person's eyes only: what is licensed is not for everybody on the machine."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def copy_whole(source: Path, place: Path) -> None:
    """Copy a file to a place where none is; nothing of it stays when that fails.

    Raises:
        UsageError: when it can't be written there.
    """
    try:
        descriptor = _make(place)
        try:
            with os.fdopen(descriptor, "wb") as file, source.open("rb") as rows:
                shutil.copyfileobj(rows, file)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(place, error) from None
