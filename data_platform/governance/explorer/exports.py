"""Exports: the whole result of a query as a file for its user, or nothing at all."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from data_platform.catalog import DATASETS, find_dataset
from data_platform.errors import NotFoundError, UsageError
from data_platform.governance.audited import AuditedRun, Question
from data_platform.governance.dto import ColumnDTO, ExportJobDTO
from data_platform.governance.engine.task import EnginePage
from data_platform.governance.explorer import tickets
from data_platform.governance.explorer.asked import EXPORT_TIMEOUT_SECONDS, KEPT_ROWS, Asked
from data_platform.governance.explorer.door import SCOPE, Door
from data_platform.governance.explorer.export_files import (
    ExportFile,
    WrittenFile,
    read_manifest,
    write_export,
    write_manifest,
)
from data_platform.governance.explorer.reading import permit_tables, reading, require_tables
from data_platform.governance.explorer.statements import gives_order
from data_platform.governance.explorer.tickets import Ticket, Written
from data_platform.governance.permissions import Action, User
from data_platform.governance.result_files import result_folder
from data_platform.governance.result_hash import affordable_hash
from data_platform.metrics import counting
from data_platform.records import platform_audit, query_requests

_RIGHTS = (Action.QUERY_DATA, Action.EXPORT_DATA)


def as_written(format: str, *, escape_formulas: bool = False) -> Written:  # noqa: A002 - the name is fixed
    """How an export is to be written.

    Raises:
        UsageError: for a format that there is not.
    """
    if format not in ("csv", "parquet"):
        raise UsageError("There is no such export format.", hint="Formats: csv, parquet.")
    return Written(format, escape_formulas)


def export(door: Door, user: User, asked: Asked, written: Written, request_id: UUID | None = None) -> ExportJobDTO:
    """Run a query and write its whole result.

    Raises:
        UsageError, NotPermittedError, RateLimitedError, QueryTimeoutError, QueryCancelledError, ConfigurationError,
        DatabaseUnavailableError, PlatformError: as `DataExplorerService.export_data` says.
    """
    found = find_dataset(asked.dataset)
    question = asked.question(user, "export")
    with tickets.running(door, user.user_id, asked, written, request_id) as ticket:
        counting.export_requested(user.user_id, written.format)
        door.permit(user, question, *_RIGHTS)
        with (
            reading(door, user, question, asked.as_of, door.export_limit) as (readable, run),
            tickets.begin(door, ticket, run.audit_id) as cancellation,
            ExitStack() as place,
        ):
            answer = door.engine.run(
                asked.sql,
                readable.views,
                dataset=asked.dataset,
                timeout_seconds=EXPORT_TIMEOUT_SECONDS,
                parameters=asked.parameters,
                user=user.user_id,
                cancellation=cancellation,
                keep_rows=KEPT_ROWS,
                place=place,
            )
            run.versions = readable.versions_of(answer.tables)
            # Also of tables that are joined from a reference dataset.
            require_tables(user, answer.tables, Action.EXPORT_DATA)
            _refuse_more(answer)
            door.require_room(answer.table.nbytes)
            run.result_hash = affordable_hash(answer.table, ordered=gives_order(answer.canonical))
            folder = result_folder(door.exports, user.user_id, ticket.id)
            file = write_export(folder, answer.table, written)
            run.row_count = ticket.row_count = answer.table.num_rows
            job = _job(ticket, run, answer, file, _licences(asked.dataset, answer))
            write_manifest(folder, _manifest(door, user, asked, answer, job))
            ticket.location = file.path
            counting.export_written(job.row_count)
        platform_audit.note(
            door.records,
            user.user_id,
            "export",
            dataset=found.name,
            subject=str(ticket.id),
            new_value=job.model_dump(mode="json", include={"query_id", "format", "versions", "row_count", "sha256"}),
            client_ip=asked.client_ip,
        )
    expires = None if ticket.ended is None else ticket.ended.expires_at
    return job.model_copy(update={"duration_ms": run.duration_ms, "expires_at": expires or job.expires_at})


def open_export(
    door: Door, user: User, export_id: UUID, client_ip: str | None = None, *, manifest_only: bool = False
) -> ExportFile:
    """The file of an export, for its owner; `manifest_only` is for whoever takes none of its rows.

    Raises:
        UsageError: the user has no such export, or it has no file (any more).
        NotPermittedError: the user may no longer query or export the dataset; audited.
    """
    with door.records.transaction(SCOPE) as connection:
        request = query_requests.get(connection, export_id)
    if request is None or request.user_id != user.user_id or request.kind != "export":
        raise NotFoundError(f"Export {export_id} was not found.", hint="Export again.")
    question = Question(user.user_id, request.dataset, f"-- download of export {export_id}", client_ip, "export")
    door.permit(user, question, *_RIGHTS)
    if request.state != "done" or request.result_location is None:
        raise UsageError(f"Export {export_id} has no file: it is {request.state}.")
    path = Path(request.result_location)
    document = read_manifest(path.parent)
    lives = request.expires_at is not None and request.expires_at > dt.datetime.now(dt.UTC)
    if document is None or not lives or not path.exists():
        raise NotFoundError(f"Export {export_id} is gone: files live for 24 hours.", hint="Export again.")
    told = {name: document[name] for name in ExportJobDTO.model_fields if name in document}
    remaining = door.remaining(user, door.export_limit)
    took = (request.finished_at - request.started_at) if request.finished_at and request.started_at else dt.timedelta()
    job = ExportJobDTO.model_validate(
        {
            **told,
            "expires_at": request.expires_at,
            "duration_ms": round(took / dt.timedelta(milliseconds=1)),
            "remaining_exports": remaining,
        }
    )
    permit_tables(door, user, question, list(job.versions), Action.EXPORT_DATA)
    platform_audit.note(
        door.records,
        user.user_id,
        "export.manifest" if manifest_only else "export.download",
        dataset=request.dataset,
        subject=str(export_id),
        new_value={"query_id": job.query_id, "format": job.format, "rows": job.row_count},
        client_ip=client_ip,
    )
    return ExportFile(path, path.parent / "manifest.json", job)


def _refuse_more(answer: EnginePage) -> None:
    if not answer.counted_all:
        raise UsageError(
            f"The result has more than {KEPT_ROWS:,} rows, the most that an export may have; nothing was exported.",
            hint="Filter by date, such as WHERE date >= DATE '2024-01-01', and export the rest separately.",
        )


def _licences(dataset: str, answer: EnginePage) -> str:
    """The notice of every dataset that was read; of the one that was asked for, when no table was."""
    read = [each for each in DATASETS.values() if any(table.name in answer.tables for table in each.tables)]
    return " ".join(f"{each.title}: {each.licence}" for each in read or [DATASETS[dataset]])


def _job(ticket: Ticket, run: AuditedRun, answer: EnginePage, file: WrittenFile, licence: str) -> ExportJobDTO:
    now = dt.datetime.now(dt.UTC)
    assert ticket.written is not None and run.versions is not None  # noqa: S101 - set before
    return ExportJobDTO(
        export_id=ticket.id,
        query_id=run.audit_id,
        dataset=ticket.asked.dataset,
        format=ticket.written.format,
        versions=dict(run.versions),
        columns=[ColumnDTO(name=name, type=dtype) for name, dtype in answer.columns],
        row_count=answer.table.num_rows,
        bytes=file.bytes,
        sha256=file.sha256,
        file_name=f"{ticket.asked.dataset}-{ticket.id}.{ticket.written.format}",
        licence=licence,
        created_at=now,
        expires_at=now + query_requests.RESULTS_LIVE,
        duration_ms=run.duration_ms,
        remaining_exports=run.remaining,
    )


def _manifest(door: Door, user: User, asked: Asked, answer: EnginePage, job: ExportJobDTO) -> dict[str, object]:
    """What the file is, for whoever finds it in a year."""
    checksums = {
        name: door.warehouse.reader(name).pin(version).manifest.checksum for name, version in job.versions.items()
    }
    return {
        **job.model_dump(mode="json", exclude={"remaining_exports", "duration_ms"}),
        "user": user.user_id,
        "sql": asked.sql,
        "parameters": dict(asked.encoded),
        "canonical_sql": answer.canonical,
        "as_of": asked.as_of_text,
        "manifest_checksums": checksums,
    }
