"""An installation with an audit in it: records, a home of its own, and an administrator; and its superuser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet
from pydantic import SecretStr

from data_platform.governance.audit_key import open_cipher
from data_platform.governance.audit_trail import AuditTrail
from data_platform.governance.audited import Question
from data_platform.governance.permissions import Role, User
from data_platform.governance.record_retention import apply_retention
from data_platform.records import platform_audit, query_audit
from data_platform.records.connection import Records
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.rate_limits import QUERIES
from data_platform.records.retention import TableRetention
from data_platform.records.scope import Scope
from data_platform.settings import Settings

ADMIN = User("local:root", Role.ADMIN)
SYSTEM = Scope.system("test")
LATER = dt.timedelta(days=100)
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@dataclass(frozen=True)
class Installation:
    """What the tests of the audit work with."""

    records: Records
    settings: Settings
    superuser_url: str

    @property
    def trail(self) -> AuditTrail:
        return AuditTrail(self.records, self.settings, ADMIN)

    @property
    def archives(self) -> Path:
        return self.settings.home / "archives"

    def with_keys(self, *keys: str) -> Installation:
        key = SecretStr(",".join(keys))
        settings = self.settings.model_copy(update={"query_audit_encryption_key": key})
        return Installation(self.records, settings, self.superuser_url)

    def ask(self, count: int, user: str = "ann") -> None:
        """Audit so many queries, each with its outcome."""
        cipher = open_cipher(self.settings)
        for number in range(count):
            text = Question(user, "crsp", f"SELECT {number}").sealed(cipher)
            attempt = query_audit.record_attempt(self.records, user, "crsp", 1, text, None, QUERIES.of(10_000))
            query_audit.record_outcome(self.records, attempt.audit_id, number, 1, "success")

    def act(self, count: int) -> None:
        """Note so many actions."""
        for number in range(count):
            with self.records.transaction(SYSTEM) as connection:
                platform_audit.append(connection, "ann", "lock.release", new_value={"number": number, "x": 1e25})

    def age(self, later: dt.timedelta = LATER) -> dict[str, TableRetention]:
        """Run retention as if it were so much later."""
        now = dt.datetime.now(dt.UTC) + later
        run = apply_retention(self.records, self.settings, ADMIN, now)
        assert run.errors == []
        return {report.table: report for report in run.reports}

    def found(self) -> list[tuple[str, int, str]]:
        """What following the chains finds."""
        return [(report.chain, each.row, each.kind) for report in self.trail.verify() for each in report.breaks]

    def count(self, table: str) -> int:
        found = self.as_superuser(lambda c: c.execute(f"SELECT count(*) FROM platform.{table}".encode()).fetchone())
        return int(found[0])

    def tamper(self, statement: str, *values: object) -> None:
        """Run a statement that neither policies nor triggers stop."""
        self.as_superuser(lambda connection: connection.execute(statement.encode(), values or None))

    def as_superuser(self, act: Callable[[psycopg.Connection[Any]], Any]) -> Any:  # noqa: ANN401 - what `act` returns
        """Act as somebody whom neither policies nor triggers bind."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            return act(connection)


def install(records: Records, postgres: EmbeddedServer, home: Path) -> Installation:
    name = str(psycopg.conninfo.conninfo_to_dict(records.databases.owner_url)["dbname"])
    return Installation(records, Settings(home=home), postgres.url(SUPERUSER, name))
