"""An audit row before a query runs and another when it has ended, however it ends."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from data_platform.errors import QueryCancelledError, QueryTimeoutError, RateLimitedError
from data_platform.governance.audit_key import QueryCipher
from data_platform.governance.audited_text import audited_text
from data_platform.governance.engine.engine import QueryRefusedError
from data_platform.governance.engine.limits import MAX_SQL_BYTES
from data_platform.governance.fingerprint import fingerprint
from data_platform.metrics import counting
from data_platform.records import query_audit
from data_platform.records.chain_check import text_digest
from data_platform.records.connection import Records
from data_platform.records.query_audit import ResultHash, SealedText
from data_platform.records.rate_limits import Limit


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks what of which dataset, and from where. `parameters` are as `engine.parameters.encode` wrote them."""

    user_id: str
    dataset: str
    sql: str = field(repr=False)
    client_ip: str | None = None
    kind: query_audit.Kind | None = None
    parameters: Mapping[str, list[str]] | None = field(default=None, repr=False)

    def sealed(self, cipher: QueryCipher) -> SealedText:
        """The text as it is stored, with its parameters; of text that is refused for its length, the beginning."""
        kept = audited_text(self.sql[: MAX_SQL_BYTES + 1], self.parameters)
        return SealedText(fingerprint(self.sql), text_digest(kept), cipher.encrypt(kept))


@dataclass(slots=True)
class AuditedRun:
    """A query that was let through. Set what is known of the result once there is one; `duration_ms` is set at the end.

    `versions` are those of the tables that were read, `result_hash` is what a replay compares.
    """

    audit_id: int
    remaining: int
    row_count: int | None = None
    versions: Mapping[str, int] | None = None
    result_hash: ResultHash | None = None
    duration_ms: int = 0


def refuse(records: Records, cipher: QueryCipher, question: Question) -> None:
    """Record that the question was refused for want of a permission."""
    query_audit.record_refusal(
        records,
        question.user_id,
        question.dataset,
        question.sealed(cipher),
        question.client_ip,
        result="denied",
        kind=question.kind,
    )
    counting.query_denied()


@contextmanager
def audited(
    records: Records, cipher: QueryCipher, question: Question, versions: Mapping[str, int] | None, limit: Limit
) -> Generator[AuditedRun]:
    """Record the attempt, run the block, record the outcome. `versions` are None when none could be pinned.

    Raises:
        RateLimitedError: when the user's limit is reached; the block does not run.
        DatabaseUnavailableError: when the attempt or the outcome can't be recorded; without it nobody gets rows.
    """
    try:
        attempt = query_audit.record_attempt(
            records,
            question.user_id,
            question.dataset,
            versions,
            question.sealed(cipher),
            question.client_ip,
            limit,
            kind=question.kind,
        )
    except RateLimitedError:
        counting.rate_limited(limit.action, question.user_id)
        raise
    run = AuditedRun(attempt.audit_id, attempt.remaining)
    started = time.monotonic()
    result: query_audit.Result = "cancelled"
    try:
        with counting.query_running(question.user_id, question.dataset):
            yield run
        result = "success"
    except QueryTimeoutError:
        result = "timeout"
        raise
    except QueryCancelledError:
        raise
    except Exception as error:
        if isinstance(error, QueryRefusedError):
            counting.query_refused(error.problem.kind)
        result = "error"
        raise
    finally:
        run.duration_ms = round((time.monotonic() - started) * 1000)
        counting.query_ended(result, time.monotonic() - started)
        succeeded = result == "success"
        query_audit.record_outcome(
            records,
            run.audit_id,
            run.row_count if succeeded else None,
            run.duration_ms,
            result,
            versions=run.versions,
            result_hash=run.result_hash if succeeded else None,
        )
