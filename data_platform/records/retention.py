"""Taking rows that are older than their table's policy out of it: into an archive first, then out of the table.

A batch is written, flushed and read back, written down, and deleted from the table in one transaction of the tables'
owner. A run that ends in between leaves a file that nobody names, and the rows where they were; such files are never
removed, because another database may name them. Audit rows go as the chain's beginning, and only when it holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, ConfigurationError
from data_platform.records import archives
from data_platform.records.archive_files import ArchiveFiles, Cipher, document_of
from data_platform.records.archives import OWNER_ROWS, Archive
from data_platform.records.chain import GENESIS, Head
from data_platform.records.chain_check import ChainFollower
from data_platform.records.databases import Databases
from data_platform.records.reaching import reach
from data_platform.records.retention_policies import Policy

Rows = list[dict[str, Any]]


class TableRetention(BaseModel):
    """What is, or would be, archived of one table: rows, their span, the files they went to, and what kept the rest."""

    model_config = ConfigDict(frozen=True)

    table: str
    keep_days: float | None
    reason: str
    rows: int = 0
    oldest: dt.datetime | None = None
    newest: dt.datetime | None = None
    files: tuple[str, ...] = ()
    problem: str | None = None


@contextmanager
def keeping(databases: Databases) -> Generator[OWNER_ROWS]:
    """Sign in as the tables' owner, who alone may archive, delete and encrypt anew; one at a time.

    Raises:
        LockBusyError: when somebody else is at it.
        DatabaseUnavailableError: when the database is away.
    """
    with reach(databases.owner_url) as reached:
        connection = cast("OWNER_ROWS", reached)
        connection.row_factory = dict_row
        with archives.hold_alone(connection):
            yield connection


def clock_of(connection: OWNER_ROWS) -> dt.datetime:
    """Return the database's time, by which rows are stamped."""
    row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return cast("dt.datetime", row["now"])


def plan(connection: OWNER_ROWS, policy: Policy, now: dt.datetime) -> TableRetention:
    """Count what a run would archive of one table; writes nothing."""
    if policy.keep is None:
        return _report(policy)
    row = connection.execute(
        sql.SQL(
            "SELECT count(*) AS rows, min({clock}) AS oldest, max({clock}) AS newest FROM {table} WHERE {due}"
        ).format(
            clock=sql.Identifier(policy.clock), table=_table(policy), due=_due(connection, policy, now - policy.keep)
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return _report(policy, **row)


def apply(
    connection: OWNER_ROWS,
    policy: Policy,
    now: dt.datetime,
    files: ArchiveFiles,
    cipher: Cipher,
    *,
    forget: Callable[[Mapping[str, Any]], None] | None = None,
    batch_rows: int | None = None,
) -> Generator[Archive]:
    """Archive what is due of one table, and yield each archive once its rows are gone for good.

    `forget` is called with each row before that: what it removes is gone even when the commit fails, and the row is
    due again then.

    Raises:
        ChecksumMismatchError: when an audit chain does not hold; what was yielded stays archived.
        ConfigurationError: when a text is under a key that is not given, naming the row; the same.
        DatabaseUnavailableError: when the database goes away; the same.
    """
    if policy.keep is None:
        return
    due = _due(connection, policy, now - policy.keep)
    while True:
        with connection.transaction():
            rows = _next_rows(connection, policy, due, batch_rows or policy.batch_rows)
            if not rows:
                return
            archive = _written(connection, policy, rows, files, cipher)
            archives.add(connection, archive)
            _delete(connection, policy, rows)
            if forget:
                for row in rows:
                    forget(row)
        yield archive


def report(policy: Policy, done: Sequence[Archive], problem: str | None = None) -> TableRetention:
    """Sum up what was archived of one table, and what kept the rest."""
    if not done:
        return _report(policy, problem=problem)
    return _report(
        policy,
        rows=sum(archive.row_count for archive in done),
        oldest=min(archive.first_at for archive in done),
        newest=max(archive.last_at for archive in done),
        files=tuple(archive.file_name for archive in done),
        problem=problem,
    )


def _report(policy: Policy, **found: Any) -> TableRetention:  # noqa: ANN401 - the fields of the report
    days = None if policy.keep is None else policy.keep / dt.timedelta(days=1)
    return TableRetention(table=policy.table, keep_days=days, reason=policy.reason, **found)


def _due(connection: OWNER_ROWS, policy: Policy, before: dt.datetime) -> sql.Composable:
    """Return the condition of the rows to go: of a chain, those before its first row that is young enough."""
    young = sql.SQL("{} >= {}").format(sql.Identifier(policy.clock), sql.Literal(before))
    if policy.chain is None:
        return sql.SQL("{} < {}").format(sql.Identifier(policy.clock), sql.Literal(before))
    row = connection.execute(
        sql.SQL(
            "SELECT coalesce((SELECT min(id) FROM {table} WHERE {young}),"
            " (SELECT row_id + 1 FROM platform.audit_heads WHERE chain = {name})) AS first"
        ).format(table=_table(policy), young=young, name=sql.Literal(policy.table))
    ).fetchone()
    return sql.SQL("id < {}").format(sql.Literal(row["first"] if row else 0))


def _next_rows(connection: OWNER_ROWS, policy: Policy, due: sql.Composable, limit: int) -> Rows:
    order = sql.SQL("id") if policy.chain else sql.SQL("{}, id").format(sql.Identifier(policy.clock))
    # Rows that change must not become young between being read and being deleted.
    lock = sql.SQL("FOR UPDATE" if policy.clock == "updated_at" else "")
    return connection.execute(
        sql.SQL("SELECT * FROM {} WHERE {} ORDER BY {} LIMIT {} {}").format(_table(policy), due, order, limit, lock)
    ).fetchall()


def _written(connection: OWNER_ROWS, policy: Policy, rows: Rows, files: ArchiveFiles, cipher: Cipher) -> Archive:
    start = None if policy.chain is None else _checked(connection, policy, rows)
    # A text without a digest is covered by the chain as it was encrypted, and stays so.
    digested = [row.get("query_text_sha256") is not None or policy.chain is None for row in rows]
    written = files.write(
        policy.table,
        [
            _document(policy, row, policy.encrypted if decrypt else (), cipher)
            for row, decrypt in zip(rows, digested, strict=True)
        ],
        cipher,
    )
    times = [row[policy.clock] for row in rows]
    archive = Archive(policy.table, written.name, written.sha256, len(rows), min(times), max(times))
    if start is None:
        return archive
    return replace(
        archive,
        first_id=rows[0]["id"],
        last_id=rows[-1]["id"],
        previous_hash=start.hash,
        last_hash=rows[-1]["hash"],
    )


def _document(policy: Policy, row: Mapping[str, object], encrypted: Sequence[str], cipher: Cipher) -> dict[str, object]:
    try:
        return document_of(row, encrypted, cipher)
    except ConfigurationError as error:
        raise ConfigurationError(f"{policy.table}, row {row['id']}: {error.message}", hint=error.hint) from None


def _checked(connection: OWNER_ROWS, policy: Policy, rows: Rows) -> Head:
    assert policy.chain is not None  # noqa: S101 - the caller asks for chains only
    start = archives.end_of(connection, policy.chain) or Head(0, GENESIS)
    follower = ChainFollower(start)
    follower.feed(rows)
    if follower.breaks:
        raise ChecksumMismatchError(
            f"The audit chain of {policy.table} does not hold: {follower.breaks[0].message}. No more is archived.",
            hint="Look at all of it with: data-platform audit verify",
        )
    return start


def _delete(connection: psycopg.Connection[Any], policy: Policy, rows: Rows) -> None:
    condition = (
        sql.SQL("id <= {}").format(sql.Literal(rows[-1]["id"]))
        if policy.chain
        else sql.SQL("id = ANY ({})").format(sql.Literal([row["id"] for row in rows]))
    )
    connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(_table(policy), condition))


def _table(policy: Policy) -> sql.Identifier:
    return sql.Identifier("platform", policy.table)
