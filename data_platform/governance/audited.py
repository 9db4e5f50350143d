"""An audit row before a query runs and another when it has ended, however it ends."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from data_platform.errors import QueryTimeoutError, RateLimitedError
from data_platform.governance.audit_key import QueryCipher
from data_platform.governance.engine.engine import QueryRefusedError
from data_platform.governance.engine.limits import MAX_SQL_BYTES
from data_platform.governance.fingerprint import fingerprint
from data_platform.metrics import counting
from data_platform.records import query_audit
from data_platform.records.chain_check import text_digest
from data_platform.records.connection import Records
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import Limit


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks what of which dataset, and from where."""

    user_id: str
    dataset: str
    sql: str = field(repr=False)
    client_ip: str | None = None

    def sealed(self, cipher: QueryCipher) -> SealedText:
        """The text as it is stored; of text that is refused for its length, the beginning."""
        kept = self.sql[: MAX_SQL_BYTES + 1]
        return SealedText(fingerprint(self.sql), text_digest(kept), cipher.encrypt(kept))


@dataclass(slots=True)
class AuditedRun:
    """A query that was let through. Set `row_count` once there is a result; `duration_ms` is set at the end."""

    audit_id: int
    remaining: int
    row_count: int | None = None
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
    )
    counting.query_denied()


@contextmanager
def audited(
    records: Records, cipher: QueryCipher, question: Question, versions: Mapping[str, int], limit: Limit
) -> Generator[AuditedRun]:
    """Record the attempt, run the block, record the outcome.

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
    except Exception as error:
        if isinstance(error, QueryRefusedError):
            counting.query_refused(error.problem.kind)
        result = "error"
        raise
    finally:
        run.duration_ms = round((time.monotonic() - started) * 1000)
        counting.query_ended(result, time.monotonic() - started)
        rows = run.row_count if result == "success" else None
        query_audit.record_outcome(records, run.audit_id, rows, run.duration_ms, result)
