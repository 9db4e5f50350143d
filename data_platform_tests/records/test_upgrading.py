"""A database that an older version of this code filled: brought up with what is in it, and its audit still proven."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from data_platform.records import platform_audit, query_audit, users
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.audit_verification import verify_chain
from data_platform.records.chain import CHAINS, GENESIS, chain_hash
from data_platform.records.connection import connect_records
from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.migrations import FOLDER, migrate, rollback
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope

NAMES = sorted(path.stem for path in FOLDER.glob("*.sql") if ".rollback" not in path.name)
SYSTEM = Scope.system("test")
NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


def old_rows(table: str) -> list[dict[str, Any]]:
    """Six rows as the first version of the audit wrote them: their hashes cover the texts as they were encrypted."""
    rows: list[dict[str, Any]] = []
    previous = GENESIS
    for number in range(1, 7):
        row: dict[str, Any] = {"id": number, "created_at": NOON}
        if table == "platform_audit":
            row |= dict.fromkeys(("dataset", "subject", "old_value", "new_value", "client_ip"))
            row |= {"actor": "ann", "action": "lock.release", "reason": "x" * 3000}
        else:
            attempt = number % 2 == 1
            row |= dict.fromkeys(("manifest_versions", "client_ip"))
            row |= {"attempt_id": None if attempt else number - 1, "user_id": "ann", "dataset": "crsp"}
            row |= {"manifest_version": 1, "query_fingerprint": "a" * 64, "query_text": b"old" if attempt else None}
            row |= {"row_count": None if attempt else 7, "duration_ms": None if attempt else 5}
            row |= {"result": None if attempt else "success"}
        row["previous_hash"] = previous
        previous = row["hash"] = chain_hash(previous, row)
        rows.append(row)
    return rows


@pytest.fixture
def filled_long_ago(databases: Databases, postgres: EmbeddedServer) -> Databases:
    rollback(databases, len(NAMES) - 5)
    name = str(psycopg.conninfo.conninfo_to_dict(databases.owner_url)["dbname"])
    with psycopg.connect(postgres.url(SUPERUSER, name)) as connection:
        connection.execute("INSERT INTO platform.platform_users (user_id, role) VALUES ('ann', 'admin')")
        for chain in CHAINS:
            for row in old_rows(chain.table):
                connection.execute(
                    sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                        sql.Identifier("platform", chain.table),
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join(map(sql.Placeholder, row)),
                    ),
                    row,
                )
    return databases


def test_what_was_there_is_there_and_the_chains_go_on(filled_long_ago: Databases, tmp_path: Path) -> None:
    assert migrate(filled_long_ago) == NAMES[5:]
    with connect_records(filled_long_ago) as records:
        with records.transaction(SYSTEM) as connection:
            assert [user.user_id for user in users.every(connection)] == ["ann"]
            platform_audit.append(connection, "ann", "lock.release")
        text = SealedText("a" * 64, "b" * 64, b"new")
        attempt = query_audit.record_attempt(records, "ann", "crsp", 1, text, None, QUERIES)
        query_audit.record_outcome(records, attempt.audit_id, 1, 1, "success")
        with records.transaction(SYSTEM) as connection:
            reports = [verify_chain(connection, chain, ArchiveFiles(tmp_path)) for chain in CHAINS]
            assert [row.query_text for row in query_audit.recent(connection)][::-1] == [
                *[b"old", None] * 3,
                b"new",
                None,
            ]
    assert [(report.rows, report.breaks) for report in reports] == [(8, ()), (7, ())]


def test_what_was_tampered_with_before_still_shows(
    filled_long_ago: Databases, postgres: EmbeddedServer, tmp_path: Path
) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(filled_long_ago.owner_url)["dbname"])
    with psycopg.connect(postgres.url(SUPERUSER, name)) as connection:
        connection.execute("UPDATE platform.data_query_audit SET query_text = 'other' WHERE id = 3")
    migrate(filled_long_ago)
    with connect_records(filled_long_ago) as records, records.transaction(SYSTEM) as connection:
        report = verify_chain(connection, CHAINS[0], ArchiveFiles(tmp_path))
    assert [(each.row, each.kind) for each in report.breaks] == [(3, "changed")]
