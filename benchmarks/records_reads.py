"""The documented reads and writes of the records, each as the code that serves people makes it.

A statement calls a function of `data_platform/records` with what `records_fill` put into the tables. It runs in a
transaction that is undone, so that it can be run again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Final
from uuid import UUID

from benchmarks.records_fill import archived_before
from benchmarks.records_rows import REQUEST_OF_USER7
from data_platform.governance.audit_key import QueryCipher
from data_platform.records import (
    acknowledgments,
    alert_deliveries,
    alert_rules,
    alerts,
    archives,
    chain,
    coverage,
    daily_metrics,
    partition_statistics,
    platform_audit,
    quality_trends,
    query_audit,
    query_requests,
    rate_limits,
    schedules,
    sync_logs,
    tokens,
    users,
    validations,
)
from data_platform.records.connection import Connection, Records
from data_platform.records.rate_limits import QUERIES
from data_platform.records.retention import keeping
from data_platform.records.scope import Scope

ADMINISTRATOR: Final = Scope("adm", None)
USER: Final = Scope("user7", frozenset({"crsp"}))
OWNER: Final = None
"""In place of a scope: the tables' owner, as retention signs in."""

_TREND_DAYS: Final = 30

_LAST_WEEK: Final = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=7)

PAGE: Final = 1_000
"""What a reader that goes page by page fetches at once."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One read or write: in whose name it runs, and the call."""

    name: str
    scope: Scope | None
    run: Callable[[Connection], object]

    @property
    def title(self) -> str:
        """The name, and in whose name."""
        return f"{self.name} as {'the owner' if self.scope is None else self.scope.user}"


@dataclass(frozen=True, slots=True)
class Filled:
    """What statements need to know of the tables they run on: how many rows each has, and the key of the texts.

    `home` is where archives go.
    """

    rows: int
    cipher: QueryCipher
    home: Path

    def last_of(self, table: str) -> int:
        """The id of the last row of an audit table."""
        return archived_before(table, self.rows) + self.rows


@contextmanager
def undoing(records: Records, scope: Scope | None) -> Generator[Callable[[], AbstractContextManager[Connection]]]:
    """Give what opens a transaction of the scope, or of the tables' owner, that is undone at its end."""
    if scope is not None:
        yield lambda: _in_scope(records, scope)
        return
    # Signing in is no part of what the owner does, and a new session has everything to look up.
    with keeping(records.databases) as connection:
        yield lambda: _rolled_back(connection)


@contextmanager
def undone(records: Records, scope: Scope | None) -> Generator[Connection]:
    """Run the block in one such transaction."""
    with undoing(records, scope) as begin, begin() as connection:
        yield connection


@contextmanager
def _in_scope(records: Records, scope: Scope) -> Generator[Connection]:
    with records.transaction(scope) as connection, _rolled_back(connection):
        yield connection


@contextmanager
def _rolled_back(connection: Connection) -> Generator[Connection]:
    with connection.transaction(force_rollback=True):
        yield connection


def request_id(number: int) -> UUID:
    """Return the id of a filled request."""
    return UUID(hashlib.md5(f"request{number}".encode(), usedforsecurity=False).hexdigest())


def reads(filled: Filled) -> list[Statement]:
    """Return what is read on behalf of people: of everything, and of what one user may see."""
    return [
        Statement(name, scope, run)
        for scope in (ADMINISTRATOR, USER)
        for name, run in (_pages() | _single(filled)).items()
    ] + [Statement(name, ADMINISTRATOR, run) for name, run in _for_administrators(filled).items()]


def _pages() -> dict[str, Callable[[Connection], object]]:
    """The newest rows of each table, with every combination of filters."""
    calls: dict[str, Callable[[Connection], object]] = {}

    def every(name: str, call: Callable[..., object], shown: str = "", **choices: object) -> None:
        """Add the call with each part of the choices, under their names and what else is to be shown."""
        for given in product((False, True), repeat=len(choices)):
            filters = {key: value for (key, value), chosen in zip(choices.items(), given, strict=True) if chosen}
            title = ", ".join((*filters, *([shown] if shown else ())))
            # Bound here: the loop goes on before it is called.
            calls[f"{name}({title})"] = lambda connection, filters=filters: call(connection, **filters)

    every("query_audit.recent", query_audit.recent, user="user7", dataset="crsp")
    every("platform_audit.recent", platform_audit.recent, actor="user7", action="users.set_role", dataset="crsp")
    every("sync_logs.recent", sync_logs.recent, dataset="crsp", level="ERROR")
    every("validations.recent", validations.recent, dataset="crsp", table="crsp_t1")
    every("alerts.recent", alerts.recent, dataset="crsp", severity="error")
    every("alert_deliveries.recent", alert_deliveries.recent, dataset="crsp", channel="pager", state="failed")
    for shown, acknowledged in (("open", False), ("acknowledged", True)):
        every(
            "alerts.recent", partial(alerts.recent, acknowledged=acknowledged), shown, dataset="crsp", severity="error"
        )
    every("alerts.by_metric", alerts.by_metric, dataset="crsp", severity="error", acknowledged=False)
    every("coverage.of_tables", partial(coverage.of_tables, dataset="crsp"), "dataset", table="crsp_t1")
    since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=_TREND_DAYS)
    every("daily_metrics.recent", partial(daily_metrics.recent, since=since), "since", dataset="crsp")
    for trend in (quality_trends.row_counts, quality_trends.pass_rates, quality_trends.anomalies):
        name = f"quality_trends.{trend.__name__}"
        every(name, partial(trend, dataset="crsp", since=since), "dataset, since", table="crsp_t1")
    every(
        "quality_trends.null_shares",
        partial(quality_trends.null_shares, dataset="crsp", since=since),
        "dataset, since",
        table="crsp_t1",
        column="ret",
    )
    return calls


def _single(filled: Filled) -> dict[str, Callable[[Connection], object]]:
    """One row, by what names it, and the lists of one dataset or one user."""
    middle = filled.rows // 2
    now = dt.datetime.now(dt.UTC)
    return {
        "alert_deliveries.clock": alert_deliveries.clock,
        "alert_deliveries.is_due": lambda c: alert_deliveries.is_due(c, "oncall", now),
        "alert_rules.enabled_rules": alert_rules.enabled_rules,
        "alert_rules.every": alert_rules.every,
        "alerts.open_of": lambda c: alerts.open_of(c, ["disk_usage", "data_late"]),
        "alerts.get": lambda c: alerts.get(c, middle),
        "acknowledgments.acknowledgment_of": lambda c: acknowledgments.acknowledgment_of(c, middle),
        "chain.beyond_head": lambda c: chain.beyond_head(c, chain.QUERY_AUDIT),
        "chain.head_of": lambda c: chain.head_of(c, chain.QUERY_AUDIT),
        "partition_statistics.of_versions": lambda c: partition_statistics.of_versions(c, "crsp_t1", "2007", "wrds", 9),
        "partition_statistics.latest_of": lambda c: partition_statistics.latest_of(
            c, "crsp_t1", ["2006", "2007", "2008"], "wrds", 9
        ),
        "daily_metrics.last_day": daily_metrics.last_day,
        "platform_audit.current_actor": platform_audit.current_actor,
        "quality_trends.first_day": lambda c: quality_trends.first_day(c, "crsp"),
        "query_requests.cancelled_among": lambda c: query_requests.cancelled_among(c, [request_id(REQUEST_OF_USER7)]),
        "query_requests.recent": lambda c: query_requests.recent(c, "user7", 50),
        "query_requests.recent(dataset)": lambda c: query_requests.recent(c, "user7", 50, "crsp"),
        "query_requests.get": lambda c: query_requests.get(c, request_id(REQUEST_OF_USER7)),
        "schedules.due": lambda c: schedules.due(c, now, 20),
        "schedules.get": lambda c: schedules.get(c, "crsp", "t100"),
        "schedules.list_all(dataset)": lambda c: schedules.list_all(c, "crsp"),
        "tokens.every(user)": lambda c: list(tokens.every(c, "user7")),
        "users.existing": lambda c: users.existing(c, "user7"),
        "users.get": lambda c: users.get(c, "user7"),
    }


def _for_administrators(filled: Filled) -> dict[str, Callable[[Connection], object]]:
    """What needs a scope that sees everything, or is of use to administrators only."""
    last = filled.last_of(chain.QUERY_AUDIT.table)
    half = last - filled.rows // 2

    def batch(connection: Connection, after: int) -> object:
        return list(islice(chain.read_chain(connection, chain.QUERY_AUDIT, after=after, up_to=last), 2 * PAGE))

    return {
        "archives.end_of": lambda c: archives.end_of(c, chain.QUERY_AUDIT),
        "archives.of_table": lambda c: archives.of_table(c, chain.QUERY_AUDIT.table),
        "archives.hold_still": archives.hold_still,
        "daily_metrics.measure": lambda c: daily_metrics.measure(c, "crsp", _LAST_WEEK),
        "query_audit.with_outcome": lambda c: query_audit.with_outcome(c, last),
        "query_requests.unfinished": lambda c: query_requests.unfinished(c, PAGE),
        "rate_limits.remaining": lambda c: rate_limits.remaining(c, QUERIES, "user7"),
        "chain.read_chain, first batch": lambda c: batch(c, last - filled.rows),
        "chain.read_chain, from the middle": lambda c: batch(c, half),
        "tokens.every, first page": lambda c: list(islice(tokens.every(c), PAGE)),
        "tokens.find_user": lambda c: tokens.find_user(c, "dp_101"),
        "users.administrators": users.administrators,
        "users.every, first page": lambda c: list(islice(users.every(c), PAGE)),
        "users.wait_for_turn": users.wait_for_turn,
    }
