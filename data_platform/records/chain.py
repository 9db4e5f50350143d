"""The hash chain of the audit tables: a row's hash covers the hash before it and the row's own content.

Appending is serialised by a lock that is held until the transaction ends, so ids are consecutive and no two rows
follow the same one; the tables themselves refuse a row that does not follow the last. A transaction that appends to
both tables appends to `data_query_audit` first.

What a query said can be encrypted with another key one day, so its row's hash covers the text's digest and not the
stored bytes.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from data_platform.errors import ChecksumMismatchError

GENESIS: Final = "0" * 64
"""What the first row names as the hash before it."""

_CHAIN_COLUMNS: Final = ("previous_hash", "hash")
_TEXT, _DIGEST = "query_text", "query_text_sha256"
_YOUNGER: Final = frozenset({"kind", "result_sha256", "result_order_sha256"})
"""Columns that older rows were hashed without: where they are null, they are no part of a row's content."""
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Chain:
    """One chained table."""

    table: str


QUERY_AUDIT: Final = Chain("data_query_audit")
PLATFORM_AUDIT: Final = Chain("platform_audit")
CHAINS: Final = (QUERY_AUDIT, PLATFORM_AUDIT)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain; id 0 and `GENESIS` before the first."""

    id: int
    hash: str


def canonical(row: Mapping[str, object]) -> str:
    """Write a row, without its chain columns, as JSON that depends on nothing but the content.

    Keys are sorted, times are UTC with microseconds, bytes are base64. Of a text and its digest one is left out: the
    text, or, in rows from before there were digests, the empty digest. A younger column counts where it has a value.
    """
    left_out = {*_CHAIN_COLUMNS, _DIGEST if row.get(_DIGEST) is None else _TEXT}
    left_out |= {name for name in _YOUNGER if row.get(name) is None}
    content = {key: plain(value) for key, value in row.items() if key not in left_out}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def chain_hash(previous: str, row: Mapping[str, object]) -> str:
    """Return the SHA-256, in hex, of the previous hash, a line feed and the canonical row."""
    return hashlib.sha256(f"{previous}\n{canonical(row)}".encode("ascii")).hexdigest()


def append(connection: psycopg.Connection[dict[str, Any]], chain: Chain, values: Mapping[str, object]) -> int:
    """Append a row at the end of the chain and return its id; `values` are its columns but id, time and hashes.

    Raises:
        ChecksumMismatchError: when the next place is taken, by a row that did not come this way.
    """
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"chain of {chain.table}",))
    # A statement of its own, so that it sees what the last holder of the lock committed. JSON takes the way through
    # the server once, because jsonb may give a number back in another form than it was given.
    found = connection.execute(
        sql.SQL(
            "SELECT row_id, row_hash, clock_timestamp() AS now {} FROM platform.audit_heads WHERE chain = {}"
        ).format(
            sql.SQL("").join(
                sql.SQL(", {}::jsonb AS {}").format(sql.Placeholder(name), sql.Identifier(f"json_{name}"))
                for name, value in values.items()
                if isinstance(value, Jsonb)
            ),
            sql.Literal(chain.table),
        ),
        values,
    ).fetchone()
    if found is None:
        raise RuntimeError(f"{chain.table} has no head")
    row: dict[str, object] = {name: found.get(f"json_{name}", value) for name, value in values.items()}
    row |= {"id": found["row_id"] + 1, "created_at": found["now"], "previous_hash": found["row_hash"]}
    row["hash"] = chain_hash(str(row["previous_hash"]), row)
    stored = {name: values.get(name, value) for name, value in row.items()}
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        sql.Identifier("platform", chain.table),
        sql.SQL(", ").join(map(sql.Identifier, stored)),
        sql.SQL(", ").join(map(sql.Placeholder, stored)),
    )
    try:
        connection.execute(insert, stored)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name != f"{chain.table}_pkey":
            raise
        raise ChecksumMismatchError(
            f"Nothing can be added to {chain.table}: somebody put a row behind its last one.",
            hint="Look at it with: data-platform audit verify",
        ) from None
    return int(str(row["id"]))


def head_of(connection: psycopg.Connection[dict[str, Any]], chain: Chain) -> Head:
    """Return the last row of a chain."""
    found = connection.execute(
        "SELECT row_id, row_hash FROM platform.audit_heads WHERE chain = %s", (chain.table,)
    ).fetchone()
    return Head(0, GENESIS) if found is None else Head(found["row_id"], found["row_hash"])


def beyond_head(connection: psycopg.Connection[dict[str, Any]], chain: Chain) -> int | None:
    """Return the id of the first row behind the last; there is none unless somebody put it in past the triggers."""
    found = connection.execute(
        sql.SQL(
            "SELECT min(id) AS id FROM {} WHERE id > (SELECT row_id FROM platform.audit_heads WHERE chain = {})"
        ).format(sql.Identifier("platform", chain.table), sql.Literal(chain.table))
    ).fetchone()
    return found["id"] if found else None


def read_chain(
    connection: psycopg.Connection[dict[str, Any]], chain: Chain, *, after: int = 0, up_to: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the table's rows in order of id, a batch at a time; needs a scope that sees everything."""
    bound = sql.SQL("") if up_to is None else sql.SQL(" AND id <= {}").format(sql.Literal(up_to))
    statement = sql.SQL("SELECT * FROM {} WHERE id > {}{} ORDER BY id LIMIT {}")
    while True:
        rows = connection.execute(
            statement.format(sql.Identifier("platform", chain.table), sql.Literal(after), bound, sql.Literal(_BATCH))
        ).fetchall()
        yield from rows
        if len(rows) < _BATCH:
            return
        after = int(rows[-1]["id"])


def plain(value: object) -> object:
    """Return a column's value as JSON has it: times in UTC with microseconds, bytes in base64, the rest as it is."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value
