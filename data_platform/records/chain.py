"""The hash chain of the audit tables: a row's hash covers the hash before it and the row's own content.

Appending is serialised by a lock that is held until the transaction ends, so ids are consecutive and no two rows
follow the same one. A transaction that appends to both tables appends to `data_query_audit` first.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

GENESIS: Final = "0" * 64
"""What the first row names as the hash before it."""

_CHAIN_COLUMNS: Final = ("previous_hash", "hash")


@dataclass(frozen=True, slots=True)
class Chain:
    """One chained table: the lock's name is the table's, `head` is the function that shows its last row's hash."""

    table: str
    head: str


QUERY_AUDIT: Final = Chain("data_query_audit", "query_audit_head")
PLATFORM_AUDIT: Final = Chain("platform_audit", "platform_audit_head")


def canonical(row: Mapping[str, object]) -> str:
    """Write a row, without its chain columns, as JSON that depends on nothing but the content.

    Keys are sorted, times are UTC with microseconds, bytes are base64.
    """
    content = {key: _plain(value) for key, value in row.items() if key not in _CHAIN_COLUMNS}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def chain_hash(previous: str, row: Mapping[str, object]) -> str:
    """Return the SHA-256, in hex, of the previous hash, a line feed and the canonical row."""
    return hashlib.sha256(f"{previous}\n{canonical(row)}".encode("ascii")).hexdigest()


def first_break(rows: Iterable[Mapping[str, Any]], previous: str = GENESIS) -> int | None:
    """Return the id of the first row, in order of id, that does not follow from those before; None when all do.

    `previous` is the hash before the first of `rows`. Rows missing at the very end leave no trace in the rest.
    """
    for row in rows:
        if row["previous_hash"] != previous or row["hash"] != chain_hash(previous, row):
            return int(row["id"])
        previous = str(row["hash"])
    return None


def append(connection: psycopg.Connection[dict[str, Any]], chain: Chain, values: Mapping[str, object]) -> int:
    """Append a row at the end of the chain and return its id; `values` are its columns but id, time and hashes."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"chain of {chain.table}",))
    # A statement of its own, so that it sees what the last holder of the lock committed. JSON takes the way through
    # the server once, because jsonb may give a number back in another form than it was given.
    head = connection.execute(
        sql.SQL("SELECT id, hash, clock_timestamp() AS now {} FROM {}()").format(
            sql.SQL("").join(
                sql.SQL(", {}::jsonb AS {}").format(sql.Placeholder(name), sql.Identifier(f"json_{name}"))
                for name, value in values.items()
                if isinstance(value, Jsonb)
            ),
            sql.Identifier("platform", chain.head),
        ),
        values,
    ).fetchone()
    if head is None:
        raise RuntimeError(f"{chain.head}() returned no row")
    row: dict[str, object] = {name: head.get(f"json_{name}", value) for name, value in values.items()}
    row |= {"id": (head["id"] or 0) + 1, "created_at": head["now"]}
    row["previous_hash"] = head["hash"] or GENESIS
    row["hash"] = chain_hash(str(row["previous_hash"]), row)
    stored = {name: values.get(name, value) for name, value in row.items()}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier("platform", chain.table),
            sql.SQL(", ").join(map(sql.Identifier, stored)),
            sql.SQL(", ").join(map(sql.Placeholder, stored)),
        ),
        stored,
    )
    return int(str(row["id"]))


def read_chain(connection: psycopg.Connection[dict[str, Any]], chain: Chain) -> Iterable[dict[str, Any]]:
    """Yield every row in order, a few at a time; needs a scope that sees everything."""
    with connection.cursor(name=f"read_{chain.table}") as cursor:
        yield from cursor.execute(
            sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier("platform", chain.table))
        )


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value
