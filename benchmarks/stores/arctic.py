"""ArcticDB on LMDB: one symbol indexed by date, as its documentation recommends for time series."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
from arcticdb import Arctic, OutputFormat

_SYMBOL = "crsp_daily"
_LIBRARY = "benchmark"
_MAP_SHARE = 0.8


class ArcticLmdb:
    """Rows sorted by date (before the clock runs), since updates and date ranges need that."""

    def open(self, folder: Path) -> None:
        """Open the environment; its map may grow to most of what is free."""
        folder.mkdir(parents=True, exist_ok=True)
        megabytes = int(min(shutil.disk_usage(folder).free * _MAP_SHARE, 64 << 30) / 2**20)
        arctic = Arctic(f"lmdb://{folder}?map_size={megabytes}MB", output_format=OutputFormat.PYARROW)
        self._library: Any = arctic.get_library(_LIBRARY, create_if_missing=True)

    def prepare(self, rows: pa.Table) -> object:
        """A pandas frame with a sorted DatetimeIndex: Arrow input is not public yet."""
        ordered = rows.cast(_without_missing_integers(rows.schema)).sort_by([("date", "ascending")])
        frame = ordered.to_pandas(date_as_object=False)
        return frame.set_index(frame.pop("date").astype("datetime64[ns]"))

    def write(self, year: int, prepared: object) -> None:
        """Replace the year's range of dates, or append after the last."""
        if not self._library.has_symbol(_SYMBOL):
            self._library.write(_SYMBOL, prepared)
        elif self._ends_before(year):
            self._library.append(_SYMBOL, prepared)
        else:
            self._library.update(_SYMBOL, prepared, date_range=_range(year))

    def version(self) -> int:
        """The symbol's latest version."""
        return max(item.version for item in self._library.list_versions(_SYMBOL))

    def read_all(self, version: int | None) -> pa.Table:
        """Read the symbol."""
        return self._library.read(_SYMBOL, as_of=version).data

    def read_columns(self, year: int, columns: list[str], version: int | None) -> pa.Table:
        """Read a range of dates; the index comes along."""
        return self._library.read(_SYMBOL, as_of=version, date_range=_range(year), columns=columns).data

    def tag(self, name: str) -> None:
        """A snapshot of the library."""
        self._library.snapshot(name)

    def _ends_before(self, year: int) -> bool:
        return self._library.get_description(_SYMBOL).date_range[1].year < year


def _without_missing_integers(schema: pa.Schema) -> pa.Schema:
    """Integers that may be missing as floats: else pandas decides by the rows at hand, and the symbol refuses them."""
    return pa.schema(
        field.with_type(pa.float64()) if field.nullable and pa.types.is_integer(field.type) else field
        for field in schema
    )


def _range(year: int) -> tuple[dt.datetime, dt.datetime]:
    return dt.datetime(year, 1, 1), dt.datetime(year, 12, 31)
