"""The documented writes of the records, and what the tables' owner does: see `records_reads`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final, cast
from uuid import UUID, uuid4

from benchmarks.records_fill import QUERY
from benchmarks.records_reads import ADMINISTRATOR, OWNER, USER, Filled, Statement, reads, request_id
from benchmarks.records_rows import REQUEST_OF_USER7
from data_platform.governance.audit_key import QueryCipher
from data_platform.records import (
    acknowledgments,
    alert_deliveries,
    alert_rules,
    alerts,
    archives,
    audit_rotation,
    chain,
    coverage,
    daily_metrics,
    partition_statistics,
    platform_audit,
    query_audit,
    query_requests,
    rate_limits,
    retention,
    schedules,
    sync_logs,
    tokens,
    users,
    validations,
    waiting_requests,
)
from data_platform.records.alert_rules import AlertRule
from data_platform.records.alerts import Alert
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.archives import Archive
from data_platform.records.chain_check import text_digest
from data_platform.records.connection import Connection, Records
from data_platform.records.coverage import PartitionCoverage
from data_platform.records.daily_metrics import DailyMetrics
from data_platform.records.partition_statistics import PartitionStatistics
from data_platform.records.query_audit import SealedText
from data_platform.records.query_requests import Ending
from data_platform.records.rate_limits import MANUAL_SYNCS, QUERIES
from data_platform.records.retention_policies import POLICIES, Policy
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import NewLine
from data_platform.records.validations import Validation

Calls = Mapping[str, Callable[[Connection], object]]

_ALERT: Final = Alert("crsp", "crsp_daily", "2024", "row_drop", "error", "12 % fewer rows", 88.0, 100.0, -12.0)
_CHECK: Final = Validation("crsp", "crsp_daily", "2024", "row_count", "passed", "100", "100")
_STATISTICS: Final = PartitionStatistics("crsp", "crsp_t1", "2007", 10**6, "wrds", 100, {"ret": 0.01}, {})
_COVERAGE: Final = PartitionCoverage(
    "crsp", "crsp_t1", "2007", 3, dt.date(2007, 1, 3), dt.date(2007, 12, 31), 100, 2, 251, 0, [], {"2007-01": 2}
)
_FIRST_OPEN: Final = 1
_ATTEMPT_WITHOUT_OUTCOME: Final = 99


def statements(filled: Filled) -> list[Statement]:
    """Return every documented read and write."""
    return [
        *reads(filled),
        *(Statement(name, scope, run) for scope in (ADMINISTRATOR, USER) for name, run in _of_anybody(scope).items()),
        *(Statement(name, ADMINISTRATOR, run) for name, run in _of_administrators(filled).items()),
        *(Statement(name, OWNER, run) for name, run in _of_the_owner(filled).items()),
    ]


def sealed_text(cipher: QueryCipher) -> SealedText:
    """Return a query as the audit keeps it."""
    return SealedText(text_digest(f"normal form of {QUERY}"), text_digest(QUERY), cipher.encrypt(QUERY))


class _Within:
    """Lets what opens a transaction of its own be undone with the one that is running."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self, _scope: Scope) -> Generator[Connection]:
        yield self._connection


def within(connection: Connection) -> Records:
    """Return records whose every transaction is the running one of a connection."""
    return cast("Records", _Within(connection))


def _of_anybody(scope: Scope) -> Calls:
    """What users do in their own scope, and administrators in theirs."""
    request, run, now = request_id(REQUEST_OF_USER7), uuid4(), dt.datetime.now(dt.UTC)
    lines = [NewLine(uuid4(), now, "crsp", "crsp_daily", "INFO", "done", {"rows": 1}, run) for _ in range(100)]
    return {
        "acknowledgments.acknowledge": lambda c: acknowledgments.acknowledge(
            c, _FIRST_OPEN, scope.user, "the source says so"
        ),
        "alerts.store_new, 2": lambda c: alerts.store_new(c, [_ALERT] * 2),
        "alerts.store, 5": lambda c: alerts.store(c, [_ALERT] * 5),
        "coverage.store, new": lambda c: coverage.store(c, _COVERAGE),
        "partition_statistics.store": lambda c: partition_statistics.store(c, _STATISTICS),
        "platform_audit.append": lambda c: platform_audit.append(c, scope.user, "sync.trigger", new_value={"n": 1}),
        "platform_audit.note": lambda c: platform_audit.note(within(c), scope.user, "sync.trigger", dataset="crsp"),
        "query_requests.create": lambda c: query_requests.create(c, scope.user, "crsp", b"encrypted"),
        "query_requests.claim": lambda c: query_requests.claim(c, request),
        "query_requests.set_audit": lambda c: query_requests.set_audit(c, request, 1),
        "query_requests.request_cancel": lambda c: query_requests.request_cancel(c, request, "enough"),
        "query_requests.finish": lambda c: query_requests.finish(c, request, Ending("done", "/somewhere", 1)),
        "query_requests.set_state": lambda c: query_requests.set_state(c, request, "done", "/somewhere"),
        "waiting_requests.count_of": lambda c: waiting_requests.count_of(c, "user7"),
        "schedules.ensure, new": lambda c: schedules.ensure(c, "crsp", "another"),
        "schedules.ensure, known": lambda c: schedules.ensure(c, "crsp", "t100"),
        "schedules.mark_run": lambda c: schedules.mark_run(c, "crsp", "t100", now),
        "schedules.update": lambda c: schedules.update(
            c, "crsp", "t100", expected_version=1, changed_by=scope.user, enabled=True
        ),
        "sync_logs.append": lambda c: sync_logs.append(c, "crsp", "crsp_daily", "INFO", "done", {"rows": 1}, run),
        "sync_logs.append_many, 100": lambda c: sync_logs.append_many(c, lines),
        "validations.store, 20": lambda c: validations.store(c, [_CHECK] * 20),
    }


def _of_administrators(filled: Filled) -> Calls:
    """Accounts, tokens and limits, and what the platform writes in its own name around a query."""
    text, first = sealed_text(filled.cipher), filled.last_of(chain.QUERY_AUDIT.table) - filled.rows
    now = dt.datetime.now(dt.UTC)
    week, message = now - dt.timedelta(days=7), UUID(hashlib.md5(b"message7", usedforsecurity=False).hexdigest())
    days = [DailyMetrics(now.date() - dt.timedelta(days=1), dataset, "t7") for dataset in ("crsp", "taq")]
    rule = AlertRule(1, week, "rule", "oncall", "crsp", None, "warning", True, "adm", week)  # noqa: FBT003 - a row
    return {
        "alert_deliveries.enlist, a week": lambda c: alert_deliveries.enlist(c, rule, week),
        "alert_deliveries.claim": lambda c: alert_deliveries.claim(c, "oncall", now + dt.timedelta(days=1)),
        "alert_deliveries.settle": lambda c: alert_deliveries.settle(c, message, now, "no answer"),
        "alert_deliveries.take_up_again": lambda c: alert_deliveries.take_up_again(c, ["pager", "oncall"], now),
        "alert_deliveries.wait_for_turn": alert_deliveries.wait_for_turn,
        "alert_rules.add": lambda c: alert_rules.add(c, "another", "oncall", dataset="crsp"),
        "alert_rules.enable": lambda c: alert_rules.enable(c, "rule7", enabled=False),
        "alert_rules.remove": lambda c: alert_rules.remove(c, "rule8"),
        "coverage.forget_others": lambda c: coverage.forget_others(c, "crsp_t1", ["2007"], 9),
        "daily_metrics.store, known and new": lambda c: daily_metrics.store(c, days),
        "query_audit.record_attempt": lambda c: query_audit.record_attempt(
            within(c), "user8", "crsp", {"crsp_daily": 3}, text, "10.0.0.1", QUERIES
        ),
        "query_audit.record_outcome": lambda c: query_audit.record_outcome(
            within(c), first + _ATTEMPT_WITHOUT_OUTCOME, 10, 20, "success"
        ),
        "query_audit.record_refusal": lambda c: query_audit.record_refusal(within(c), "user8", "crsp", text, None),
        "rate_limits.take, known": lambda c: rate_limits.take(c, QUERIES, "user7"),
        "rate_limits.take, new": lambda c: rate_limits.take(c, QUERIES, "newcomer"),
        "rate_limits.take, shared": lambda c: rate_limits.take(c, MANUAL_SYNCS, "user7"),
        "tokens.create": lambda c: tokens.create(c, "user7"),
        "tokens.revoke": lambda c: tokens.revoke(c, 101),
        "waiting_requests.end_lost": waiting_requests.end_lost,
        "users.add": lambda c: users.add(c, "newcomer", "analyst"),
        "users.disable": lambda c: users.disable(c, "user7"),
        "users.grant": lambda c: users.grant(c, "user7", "dataset:taq"),
        "users.revoke": lambda c: users.revoke(c, "user7", "dataset:crsp"),
        "users.set_role": lambda c: users.set_role(c, "user7", "operator"),
    }


def _held(connection: Connection) -> None:
    with archives.hold_alone(connection):
        pass


def _of_the_owner(filled: Filled) -> Calls:
    """Retention of a day, and the batches in which texts are encrypted anew."""
    files, now = ArchiveFiles(filled.home), dt.datetime.now(dt.UTC)
    archive = Archive("data_sync_logs", "data_sync_logs/new", "0" * 64, 1, now, now)
    calls: dict[str, Callable[[Connection], object]] = {
        "retention.clock_of": retention.clock_of,
        "archives.add": lambda c: archives.add(c, archive),
        "archives.hold_alone": _held,
        "chain.head_of": lambda c: chain.head_of(c, chain.QUERY_AUDIT),
    }

    def retain(policy: Policy) -> None:
        calls[f"retention.plan({policy.table})"] = lambda c: retention.plan(c, policy, now)
        calls[f"retention.apply({policy.table})"] = lambda c: list(
            retention.apply(c, policy, now, files, filled.cipher)
        )

    for policy in POLICIES:
        if policy.keep is not None:
            retain(policy)

    def renew(table: str, columns: tuple[str, ...], middle: object) -> None:
        for place, after in (("first batch", None), ("from the middle", middle)):
            calls[f"audit_rotation of {table}, {place}"] = lambda c, after=after: _renew(c, table, columns, after)

    renew(chain.QUERY_AUDIT.table, ("query_text",), filled.last_of(chain.QUERY_AUDIT.table) - filled.rows // 2)
    renew("query_requests", ("query_text", "parameters", "error_message"), request_id(filled.rows // 2))
    return calls


def _renew(connection: Connection, table: str, columns: tuple[str, ...], after: object) -> None:
    """Do with one batch what `audit_rotation.rotate` does with all, but for the encryption itself."""
    rows = audit_rotation._rows_after(connection, table, columns, after)
    audit_rotation._store(connection, table, columns, rows)
