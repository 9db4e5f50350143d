"""One installation for each module: a database, both tables published, and people who can be looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from data_platform.governance.audit_trail import AuditTrail
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import Role, User
from data_platform.records import platform_audit, query_audit, query_requests, users
from data_platform.records.connection import Records, connect_records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.platform_audit import AuditEntry
from data_platform.records.query_audit import AuditedQuery
from data_platform.records.query_requests import QueryRequest
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.conftest import fresh_database
from data_platform_tests.governance.audit_fixtures import Installation, install
from data_platform_tests.governance.market import crsp_rows, factor_rows, publish

SYSTEM = Scope.system("test")
ADMIN = User("adm", Role.ADMIN)


@dataclass(frozen=True)
class World:
    """What the tests of the explorer work with; each test takes people of its own, whose limits nobody else uses."""

    service: DataExplorerService
    records: Records
    warehouse: Warehouse
    settings: Settings
    engine: QueryEngine
    installation: Installation

    def person(self, name: str, role: Role = Role.ANALYST) -> User:
        with self.records.transaction(SYSTEM) as connection:
            users.add(connection, name, role.value)
        return User(name, role)

    def with_settings(self, **changed: object) -> DataExplorerService:
        settings = self.settings.model_copy(update=changed)
        return DataExplorerService(self.records, self.warehouse, settings, self.engine)

    def audited(self, user: str) -> list[AuditedQuery]:
        """Somebody's rows, oldest first."""
        with self.records.transaction(SYSTEM) as connection:
            return query_audit.recent(connection, user, limit=1_000)[::-1]

    def actions(self, actor: str, action: str) -> list[AuditEntry]:
        with self.records.transaction(SYSTEM) as connection:
            return platform_audit.recent(connection, actor, 1_000, action=action)[::-1]

    def requests(self, user: str) -> list[QueryRequest]:
        """Somebody's requests as they are stored, oldest first."""
        with self.records.transaction(SYSTEM) as connection:
            return query_requests.recent(connection, user, 1_000)[::-1]

    def holds(self) -> bool:
        """Whether both chains of the audit hold."""
        return all(report.holds for report in AuditTrail(self.records, self.settings, ADMIN).verify())


@pytest.fixture(scope="module")
def world(
    postgres: EmbeddedServer, _migrated_template: str, engine: QueryEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    settings = Settings(home=tmp_path_factory.mktemp("explorer"), queries_per_minute=1_000, exports_per_hour=5)
    warehouse = Warehouse(settings.warehouse_root)
    publish(warehouse, "crsp", "crsp_daily", "2020", crsp_rows(days=100))
    publish(warehouse, "crsp", "crsp_daily", "2021", crsp_rows(days=50, start=dt.date(2021, 1, 4)))
    publish(warehouse, "fama_french", "ff_factors_daily", "all", factor_rows(days=30))
    with (
        fresh_database(postgres, _migrated_template) as databases,
        connect_records(databases, max_connections=16, wait_seconds=60) as records,
    ):
        service = DataExplorerService(records, warehouse, settings, engine)
        installation = replace(install(records, postgres, settings.home), settings=settings)
        yield World(service, records, warehouse, settings, engine, installation)
