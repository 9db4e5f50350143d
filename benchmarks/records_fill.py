"""Filling every table of the records that grows, with as many rows as asked for.

It is done by the server's superuser and beside the triggers, which would refuse most of it. What it makes looks as the
platform would have made it, down to the hashes of the audit rows that retention takes next; the other hashes are made
up, so the chains do not hold beyond them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from benchmarks.records_rows import ARCHIVED, FILLINGS, FUNCTIONS, OPEN_ALERTS, ROWS_OF_ARCHIVE
from data_platform.governance.audit_key import QueryCipher
from data_platform.records.chain import CHAINS, GENESIS, Chain, chain_hash
from data_platform.records.chain_check import text_digest

QUERY: Final = "SELECT date, permno, ret FROM crsp_daily WHERE date >= DATE '2020-01-01' AND permno = 10107"

_OF_ALERTS: Final = ("data_anomaly_alerts", "data_quality_alert_acknowledgments")
_CHAINED_SHARE: Final = 0.03
"""Of an audit table, from its beginning: more than what is due."""
_CONNECTIONS: Final = 2


def fill(superuser_url: str, rows: int, cipher: QueryCipher) -> None:
    """Give every table that grows so many rows; what they held is gone."""
    empty(superuser_url)
    chains = {chain.table: chain for chain in CHAINS}

    def fill_one(table: str) -> None:
        with psycopg.connect(superuser_url, autocommit=True, row_factory=dict_row) as connection:
            with connection.transaction():
                _beside_triggers(connection)
                connection.execute(FUNCTIONS)
                _insert(connection, table, rows, cipher)
                if table in chains:
                    _chain(connection, chains[table], archived_before(table, rows), rows)
            # What is measured hangs on the planner's statistics; in no transaction, as it must be.
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier("platform", table)))

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(fill_one, FILLINGS))


def empty(superuser_url: str) -> None:
    """Take every row out of the tables that grow, and let the audit chains begin anew."""
    with psycopg.connect(superuser_url, autocommit=True) as connection, connection.transaction():
        _beside_triggers(connection)
        connection.execute(
            sql.SQL("TRUNCATE {} RESTART IDENTITY").format(
                sql.SQL(", ").join(sql.Identifier("platform", table) for table in FILLINGS)
            )
        )
        connection.execute("UPDATE platform.audit_heads SET row_id = 0, row_hash = %s", (GENESIS,))


def archived_before(table: str, rows: int) -> int:
    """Return how many rows of an audit table the archives have, when each table has so many rows."""
    if table not in ARCHIVED:
        return 0
    return ROWS_OF_ARCHIVE * ((rows + len(ARCHIVED) - 1 - ARCHIVED.index(table)) // len(ARCHIVED))


def _beside_triggers(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET LOCAL session_replication_role = replica")


def _insert(connection: psycopg.Connection[Any], table: str, rows: int, cipher: QueryCipher) -> None:
    columns = FILLINGS[table]
    # An alert that is open has no acknowledgment, so there is one alert more for each.
    first = OPEN_ALERTS + 1 if table == "data_quality_alert_acknowledgments" else 1
    last = rows + OPEN_ALERTS if table in _OF_ALERTS else rows
    given = {
        "rows": sql.Literal(last),
        "open": sql.Literal(OPEN_ALERTS),
        "batch": sql.Literal(ROWS_OF_ARCHIVE),
        "tables": sql.SQL("{}::text[]").format(list(ARCHIVED)),
        "archived": sql.Literal(archived_before(table, rows)),
        "sealed": sql.Literal(cipher.encrypt(QUERY)),
        "digest": sql.Literal(text_digest(QUERY)),
    }
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} "
            "FROM (SELECT {given}) AS given, generate_series({first}::bigint, {last}) AS n"
        ).format(
            table=sql.Identifier("platform", table),
            names=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(map(sql.SQL, columns.values())),
            given=sql.SQL(", ").join(
                sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in given.items()
            ),
            first=first,
            last=last,
        )
    )


def _chain(connection: psycopg.Connection[Any], chain: Chain, archived: int, rows: int) -> None:
    """Let the chain end in the table's last row, and its first rows be as the platform chains them.

    Those go next, and retention takes nothing of a chain that does not hold.
    """
    table = sql.Identifier("platform", chain.table)
    connection.execute(
        "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (f"platform.{chain.table}", archived + rows)
    )
    connection.execute(
        sql.SQL(
            "UPDATE platform.audit_heads AS head SET row_id = last.id, row_hash = last.hash "
            "FROM {} AS last WHERE last.id = %s AND head.chain = %s"
        ).format(table),
        (archived + rows, chain.table),
    )
    first = connection.execute(
        sql.SQL("SELECT * FROM {} WHERE id <= %s ORDER BY id").format(table), (archived + int(rows * _CHAINED_SHARE),)
    ).fetchall()
    # The first row names the last one that is archived.
    previous, hashes = [str(first[0]["previous_hash"])], list[str]()
    for row in first:
        hashes.append(chain_hash(previous[-1], row))
        previous.append(hashes[-1])
    connection.execute(
        sql.SQL(
            "UPDATE {} AS a SET previous_hash = made.previous, hash = made.hash "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS made (id, previous, hash) WHERE a.id = made.id"
        ).format(table),
        ([row["id"] for row in first], previous[:-1], hashes),
    )
