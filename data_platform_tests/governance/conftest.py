"""An engine for the whole session, small files to query, and a service over a fresh database and warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.engine.limits import MIB, EngineLimits
from data_platform.governance.engine.task import EnginePage
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import Role, User
from data_platform.records.connection import Records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.audit_fixtures import Installation, install
from data_platform_tests.governance.market import crsp_rows, factor_rows, publish, write_parquet
from data_platform_tests.governance.people import fill

Ask = Callable[..., EnginePage]


@pytest.fixture(scope="session")
def engine() -> Iterator[QueryEngine]:
    engine = QueryEngine(EngineLimits(memory_bytes=512 * MIB, address_space_bytes=2048 * MIB))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def views(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[str, ...]]:
    folder = tmp_path_factory.mktemp("tables")
    crsp = write_parquet(crsp_rows(), folder / "crsp.parquet")
    factors = write_parquet(factor_rows(), folder / "factors.parquet")
    return {"crsp_daily": (crsp,), "ff_factors_daily": (factors,)}


@pytest.fixture
def ask(engine: QueryEngine, views: Mapping[str, tuple[str, ...]]) -> Ask:
    """Run SQL over both tables, with limits that a test can change."""

    def run(
        sql: str,
        *,
        timeout_seconds: float = 20.0,
        page: int = 1,
        page_size: int = 10_000,
        tables: tuple[str, ...] = ("crsp_daily", "ff_factors_daily"),
    ) -> EnginePage:
        return engine.run(
            sql,
            {name: views[name] for name in tables},
            dataset="crsp",
            timeout_seconds=timeout_seconds,
            page=page,
            page_size=page_size,
        )

    return run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", queries_per_minute=100)


@pytest.fixture
def warehouse(settings: Settings) -> Warehouse:
    """Both tables published, crsp_daily in two versions of which the second adds a year."""
    warehouse = Warehouse(settings.warehouse_root)
    publish(warehouse, "crsp", "crsp_daily", "2020", crsp_rows(days=100))
    publish(warehouse, "crsp", "crsp_daily", "2021", crsp_rows(days=50, start=dt.date(2021, 1, 4)))
    publish(warehouse, "fama_french", "ff_factors_daily", "all", factor_rows(days=30))
    return warehouse


@pytest.fixture
def explorer(records: Records, warehouse: Warehouse, settings: Settings, engine: QueryEngine) -> DataExplorerService:
    return DataExplorerService(records, warehouse, settings, engine)


@pytest.fixture
def analyst() -> User:
    return User("ann", Role.ANALYST)


@pytest.fixture
def installation(records: Records, postgres: EmbeddedServer, tmp_path: Path) -> Installation:
    """Records with a home of their own, for the tests of the audit."""
    return install(records, postgres, tmp_path / "home")


@pytest.fixture
def filled(records: Records) -> Records:
    """Records with rows of every dataset, and of a user of each role."""
    fill(records)
    return records
