"""The governed door over a warehouse in which one dataset is permitted, and what it told of all the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import Role, User
from data_platform.governance.pinning import views_of
from data_platform.records import query_audit
from data_platform.records.connection import Records
from data_platform.records.query_audit import AuditedQuery
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.corpus.reading import places_of
from data_platform_tests.governance.corpus.world import (
    LEAKS,
    contents,
    foreign_factors,
    foreign_rows,
    lay_out,
    leaked_by_error,
    permitted_rows,
)
from data_platform_tests.governance.market import publish

DATASET: Final = "crsp"
PROBE: Final = "SELECT count(*) AS n FROM crsp_daily"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door said: the error's text and hint, or columns and rows."""

    refused: bool
    said: str


class Door:
    """One analyst of crsp before the service; compustat and the factors are published too, and files lie about."""

    def __init__(self, records: Records, folder: Path, engine: QueryEngine) -> None:
        settings = Settings(home=folder / "home", queries_per_minute=100_000)
        warehouse = Warehouse(settings.warehouse_root)
        publish(warehouse, DATASET, "crsp_daily", "2020", permitted_rows())
        publish(warehouse, "compustat", "compustat_annual", "2020", foreign_rows())
        publish(warehouse, "fama_french", "ff_factors_daily", "all", foreign_factors())
        self.root = folder / "files"
        lay_out(self.root)
        self._records = records
        self._folder = folder
        self._watched = (self.root, settings.warehouse_root)
        self._service = DataExplorerService(records, warehouse, settings, engine)
        files = {
            name: views_of({name: warehouse.reader(name).pin()})[name][0] for name in ("crsp_daily", "compustat_annual")
        }
        serialized = duckdb.execute("SELECT json_serialize_sql('SELECT * FROM compustat_annual')").fetchone()
        self.places = {
            **places_of(self.root, files["compustat_annual"], files["crsp_daily"]),
            "SERIALIZED": str(serialized and serialized[0]),
        }
        self.before = contents(*self._watched)

    def ask(self, sql: str, user: str = "ann", timeout_seconds: float = 20.0) -> Answer:
        """Put one statement to the service."""
        try:
            result = self._service.execute_query(
                User(user, Role.ANALYST), DATASET, sql, timeout_seconds=timeout_seconds, page_size=1000
            )
        except PlatformError as error:
            return Answer(True, f"{error} {error.hint or ''}")
        columns = [column.name for column in result.dto.columns]
        return Answer(False, f"{columns} {[column.to_pylist() for column in result.table.columns]}")

    def lets_out(self, sql: str, answer: Answer) -> list[str]:
        """What an answer tells that it must not: foreign values and names, and paths of any kind."""
        said = answer.said.lower()
        leaks = leaked_by_error(said, sql) if answer.refused else [word for word in LEAKS if word in said]
        paths = [path for path in (str(self._folder), "/etc/", "/proc/", "/usr/", "/home/") if path in answer.said]
        return leaks + paths

    def changed(self) -> set[str]:
        """The files that are no longer what they were."""
        now = contents(*self._watched)
        return {path for path in self.before.keys() | now.keys() if self.before.get(path) != now.get(path)}

    def audit(self) -> list[AuditedQuery]:
        """All rows, oldest first."""
        with self._records.transaction(Scope.system("test")) as connection:
            return query_audit.recent(connection, limit=100_000)[::-1]
