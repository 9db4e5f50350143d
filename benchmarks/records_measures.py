"""The four kinds of measurement of the records: statements, attempts at once, transactions, and a real chain."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import psycopg

from benchmarks.records_figures import Attempts, ChainTimes, Times
from benchmarks.records_reads import ADMINISTRATOR, Statement, undoing
from benchmarks.records_writes import sealed_text, within
from data_platform.governance.audit_key import QueryCipher
from data_platform.records import query_audit, retention
from data_platform.records.archive_files import ArchiveFiles, Cipher
from data_platform.records.audit_verification import verify_chain
from data_platform.records.chain import QUERY_AUDIT
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.rate_limits import QUERIES
from data_platform.records.retention import keeping
from data_platform.records.retention_policies import POLICIES
from data_platform.records.scope_seal import SET_SCOPE, ScopeSeals

_LEAST: Final = 3
"""How often a statement is run that takes all of its time."""

_TRANSACTION_ROWS: Final = 1_000


def measure_statement(records: Records, statement: Statement, *, repeat: int, budget: float) -> Times:
    """Run a statement so often, or until its seconds are spent; each time in a transaction that is undone.

    The first run, which finds caches cold and plans to make, is not counted; neither are the transaction's own ends.
    """
    seconds: list[float] = []
    spent = 0.0
    with undoing(records, statement.scope) as begin:
        while len(seconds) <= repeat and (spent < budget or len(seconds) <= _LEAST):
            with begin() as connection:
                began = time.perf_counter()
                statement.run(connection)
                seconds.append(time.perf_counter() - began)
            spent += seconds[-1]
    return Times.of(seconds[1:])


def measure_attempts(databases: Databases, cipher: QueryCipher, *, threads: int, seconds: float) -> Attempts:
    """Record attempts and their outcomes for so long, each thread with a connection of its own."""
    text, together = sealed_text(cipher), Barrier(threads + 1)

    def work(number: int) -> int:
        with records.transaction(ADMINISTRATOR):
            together.wait()
        done = 0
        while time.perf_counter() < until:
            # Nobody comes to their limit: the cost of being refused is another one.
            user = f"user{number}-{threads}-{done // QUERIES.allowed}"
            attempt = query_audit.record_attempt(records, user, "crsp", {"crsp_daily": 3}, text, "10.0.0.1", QUERIES)
            query_audit.record_outcome(records, attempt.audit_id, 10, 20, "success")
            done += 1
        return done

    until = float("inf")
    with connect_records(databases, max_connections=threads) as records, ThreadPoolExecutor(threads) as pool:
        working = [pool.submit(work, number) for number in range(threads)]
        together.wait()
        began = time.perf_counter()
        until = began + seconds
        attempts = sum(each.result() for each in working)
        return Attempts(threads=threads, attempts=attempts, seconds=time.perf_counter() - began)


def measure_transactions(databases: Databases, records: Records, *, repeat: int) -> dict[str, Times]:
    """Measure a transaction without anything in it, then with what the scope adds to it."""
    settings = ScopeSeals.load(databases.owner_url).settings(ADMINISTRATOR)

    def empty(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            pass

    def scoped(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute(SET_SCOPE, settings)

    def asked(connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute(SET_SCOPE, settings)
            connection.execute("SELECT platform.sees_everything()")

    def pooled(_: object) -> None:
        with records.transaction(ADMINISTRATOR):
            pass

    with psycopg.connect(databases.service_url, autocommit=True) as connection:
        return {
            name: Times.of(_timed(lambda act=act: act(connection), repeat))
            for name, act in {
                "empty": empty,
                "with a sealed scope": scoped,
                "with a sealed scope that a policy asks for": asked,
                "of the pool, which looks after its connection first": pooled,
            }.items()
        }


def measure_chain(records: Records, cipher: QueryCipher, home: Path, *, rows: int) -> ChainTimes:
    """Append to an empty chain, follow it, archive all of it, and follow it in the archives."""
    files, text = ArchiveFiles(home), sealed_text(cipher)
    policy = next(policy for policy in POLICIES if policy.table == QUERY_AUDIT.table)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1) + (policy.keep or dt.timedelta())

    def append() -> None:
        for first in range(0, rows, _TRANSACTION_ROWS):
            with records.transaction(ADMINISTRATOR) as connection:
                for _ in range(first, min(first + _TRANSACTION_ROWS, rows)):
                    query_audit.record_refusal(within(connection), "user8", "crsp", text, "10.0.0.1")

    def verify(key: Cipher | None) -> None:
        with records.transaction(ADMINISTRATOR) as connection:
            report = verify_chain(connection, QUERY_AUDIT, files, key)
        if not report.holds or report.rows != rows:
            raise RuntimeError(f"the chain of {rows} rows was verified to {report}")

    def archive() -> None:
        with keeping(records.databases) as connection:
            report = retention.report(policy, list(retention.apply(connection, policy, later, files, cipher)))
        if report.rows != rows:
            raise RuntimeError(f"of {rows} rows {report.rows} were archived")

    (appended,) = _timed(append, 1)
    (verified,) = _timed(lambda: verify(cipher), 1)
    (hashes,) = _timed(lambda: verify(None), 1)
    (archived,) = _timed(archive, 1)
    (in_archives,) = _timed(lambda: verify(cipher), 1)
    return ChainTimes(
        rows=rows,
        appended=appended,
        verified=verified,
        verified_hashes=hashes,
        archived=archived,
        verified_archives=in_archives,
    )


def _timed(act: Callable[[], object], repeat: int) -> Sequence[float]:
    seconds: list[float] = []
    for _ in range(repeat):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return seconds
