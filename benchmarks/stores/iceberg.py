"""Apache Iceberg through pyiceberg with a catalog in SQLite, partitioned by a year column."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue, EqualTo
from pyiceberg.transforms import IdentityTransform

_NAME = "bench.crsp_daily"


class Iceberg:
    """One catalog, one table; pyiceberg's defaults, which compress with zstd."""

    def open(self, folder: Path) -> None:
        """Open the catalog and, once it exists, the table."""
        folder.mkdir(parents=True, exist_ok=True)
        self._catalog: Any = SqlCatalog("b", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/data")
        self._catalog.create_namespace_if_not_exists("bench")
        self._years: set[int] = set()
        if self._catalog.table_exists(_NAME):
            partitions = self._catalog.load_table(_NAME).inspect.partitions().to_pylist()
            self._years = {row["partition"]["year_part"] for row in partitions}

    def prepare(self, rows: pa.Table) -> object:
        """Add the column by which the table is partitioned."""
        return _nullable(rows.append_column("year", pc.year(rows.column("date")).cast(pa.int32())))

    def write(self, year: int, prepared: object) -> None:
        """Overwrite the year; a filter on the partition column drops whole files."""
        rows = cast("pa.Table", prepared)
        table = self._catalog.load_table(_NAME) if self._years else self._create(rows.schema)
        if year in self._years:
            table.overwrite(rows, overwrite_filter=EqualTo("year", year))
        else:
            table.append(rows)
            self._years.add(year)

    def version(self) -> int:
        """The current snapshot's id."""
        return self._catalog.load_table(_NAME).current_snapshot().snapshot_id

    def read_all(self, version: int | None) -> pa.Table:
        """Load the table and scan it."""
        return self._catalog.load_table(_NAME).scan(row_filter=AlwaysTrue(), snapshot_id=version).to_arrow()

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Load the table and scan one partition."""
        table = self._catalog.load_table(_NAME)
        fields = tuple(columns)
        return table.scan(row_filter=EqualTo("year", year), selected_fields=fields, snapshot_id=version).to_arrow()

    def tag(self, name: str) -> None:
        """A tag on the current snapshot."""
        table = self._catalog.load_table(_NAME)
        table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, name).commit()

    def _create(self, schema: pa.Schema) -> Any:  # noqa: ANN401 - pyiceberg's table is untyped here
        table = self._catalog.create_table(_NAME, schema=schema)
        with table.update_spec() as update:
            update.add_field("year", IdentityTransform(), "year_part")
        return self._catalog.load_table(_NAME)


def _nullable(table: pa.Table) -> pa.Table:
    """Iceberg takes required columns only into a table declared so."""
    return table.cast(pa.schema([field.with_nullable(nullable=True) for field in table.schema]))
