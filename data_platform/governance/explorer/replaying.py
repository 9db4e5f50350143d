"""Replaying an audited query: the same statement on the very versions that it read, compared by its rows' hash."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from data_platform.errors import UsageError
from data_platform.governance.audited import Question, audited
from data_platform.governance.audited_text import statement_of
from data_platform.governance.dto import ReplayDTO
from data_platform.governance.engine.parameters import decode
from data_platform.governance.explorer.asked import EXPORT_TIMEOUT_SECONDS, KEPT_ROWS
from data_platform.governance.explorer.door import Door
from data_platform.governance.explorer.statements import gives_order, why_it_may_differ
from data_platform.governance.permissions import User
from data_platform.governance.result_hash import affordable_hash
from data_platform.governance.scopes import administration_scope
from data_platform.records import archives, platform_audit, query_audit
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.chain import QUERY_AUDIT
from data_platform.records.query_audit import ResultHash


@dataclass(frozen=True, slots=True)
class Past:
    """A query as the audit has it: what it said, what it read, and the hash of what it was answered with."""

    query_id: int
    dataset: str
    sql: str = field(repr=False)
    parameters: dict[str, list[str]] = field(repr=False)
    versions: dict[str, int]
    rows: int | None
    result: ResultHash | None


def replay(door: Door, user: User, query_id: int) -> ReplayDTO:
    """Run it again and compare.

    Raises:
        NotPermittedError, UsageError, ConfigurationError, ChecksumMismatchError, RateLimitedError, QueryTimeoutError,
        PlatformError: as `DataExplorerService.replay` says.
    """
    past = recall(door, user, query_id)
    question = Question(user.user_id, past.dataset, past.sql, None, "replay", past.parameters)
    with (
        door.warehouse.sweeping.shared(),
        audited(door.records, door.cipher, question, past.versions, door.query_limit) as run,
        ExitStack() as place,
    ):
        views = {
            name: tuple(map(str, door.warehouse.reader(name).pin(version).files))
            for name, version in past.versions.items()
        }
        answer = door.engine.run(
            past.sql,
            views,
            dataset=past.dataset,
            timeout_seconds=EXPORT_TIMEOUT_SECONDS,
            parameters=decode(past.parameters) or None,
            user=user.user_id,
            keep_rows=KEPT_ROWS,
            place=place,
        )
        run.row_count = answer.table.num_rows
        ordered = gives_order(answer.canonical)
        now = run.result_hash = affordable_hash(answer.table, ordered=ordered)
    verdict, reason = judge(past.result, now, why_it_may_differ(answer.canonical), whole=answer.counted_all)
    platform_audit.note(
        door.records,
        user.user_id,
        "audit.replay",
        dataset=past.dataset,
        subject=str(past.query_id),
        new_value={"replay_id": run.audit_id, "verdict": verdict, "versions": past.versions},
        reason=reason,
    )
    return ReplayDTO(
        query_id=past.query_id,
        replay_id=run.audit_id,
        dataset=past.dataset,
        versions=past.versions,
        verdict=verdict,
        reason=reason,
        page_rows_then=past.rows,
        rows_compared=answer.table.num_rows,
        sha256_then=None if past.result is None else past.result.any_order,
        sha256_now=None if now is None else now.any_order,
    )


def judge(then: ResultHash | None, now: ResultHash | None, unsteady: str | None, *, whole: bool) -> tuple[Any, str]:
    """Decide from both hashes, and from why the statement may answer otherwise each time; the verdict and why. Pure."""
    if then is None:
        return (
            "unknown",
            "no hash was kept: the result was too large, a page far into it, or older than the hashes",
        )
    if now is None:
        return "unknown", "the result is too large for a hash"
    if then.any_order == now.any_order:
        if then.own_order in (None, now.own_order):
            return "same", "the rows are the same"
        return "unknown", "the rows are the same; those that the ORDER BY does not tell apart may come in any order"
    if unsteady is not None:
        return "unknown", f"the results differ, and may: {unsteady}"
    if not whole:
        return "unknown", f"the results differ, and may: more than {KEPT_ROWS:,} rows, of which the first are compared"
    return "differs", "the rows are others than were answered with"


def recall(door: Door, user: User, query_id: int) -> Past:
    """Find a query in the audit or its archives, by the id of its attempt or outcome, and read its text.

    Raises:
        NotPermittedError: for everyone but administrators.
        UsageError: there is no such query, or it was not answered.
        ConfigurationError: its text is under a key that is not given.
        ChecksumMismatchError: an archive is gone or damaged.
    """
    rows = _rows(door, user, query_id)
    attempt = next((row for row in rows if row["attempt_id"] is None and row["id"] == query_id), None)
    if attempt is None:
        outcome_of = next((row["attempt_id"] for row in rows if row["id"] == query_id), None)
        if outcome_of is None:
            raise UsageError(f"There is no audited query {query_id}.", hint="See: data-platform audit show queries")
        return recall(door, user, int(outcome_of))
    outcome = next((row for row in rows if row["attempt_id"] == query_id), None)
    if outcome is None or outcome["result"] != "success" or attempt.get("kind") == "dry_run":
        raise UsageError(f"Query {query_id} was not answered with rows: there is nothing to compare with.")
    stored: bytes | str = attempt["query_text"]
    sql, parameters = statement_of(stored if isinstance(stored, str) else door.cipher.decrypt(stored))
    versions: dict[str, int] = outcome["manifest_versions"] or {}
    any_order = outcome.get("result_sha256")
    result = None if any_order is None else ResultHash(any_order, outcome.get("result_order_sha256"))
    return Past(query_id, attempt["dataset"], sql, parameters, dict(versions), outcome["row_count"], result)


def _rows(door: Door, user: User, query_id: int) -> list[dict[str, Any]]:
    """The rows with this id or of this attempt, wherever they are; texts in archives are text already."""
    with door.records.transaction(administration_scope(user)) as connection:
        kept = query_audit.with_outcome(connection, query_id)
        found = [{name: getattr(row, name) for name in query_audit.AuditedQuery.__dataclass_fields__} for row in kept]
        if any(row["id"] == query_id for row in found):
            return found
        archived = archives.of_table(connection, QUERY_AUDIT.table)
    files, cipher = ArchiveFiles(door.settings.home), door.cipher
    for archive in archived:
        if archive.last_id is not None and archive.last_id >= query_id:
            rows = files.read(archive.file_name, archive.sha256, cipher)
            found += [row for row in rows if query_id in (row["id"], row["attempt_id"])]
            if len(found) > 1:
                break
    return found
