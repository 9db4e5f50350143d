"""The result of a query: its pages as they are asked for, or all of it as Arrow, Polars, pandas or rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from data_platform.client.names import distinct_names
from data_platform.client.wire import ABOUT
from data_platform.errors import PlatformError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_DAY: Final = {"us": 86_400 * 10**6, "ns": 86_400 * 10**9}


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and what the server says of them and of the whole result, as in the interface's description."""

    table: pa.Table = field(repr=False)
    info: dict[str, Any]


class QueryResult:
    """The result of one query. The first page is here; the others are fetched when they are needed.

    Every page shows the result as it was when the query ran, for 24 hours.
    """

    def __init__(self, first: Page, follow: Callable[[str], Page]) -> None:
        self._pages = [first]
        self._follow = follow

    @property
    def info(self) -> dict[str, Any]:
        """What is known of the first page and the whole: `versions`, `total_rows`, `pages` and more."""
        return self._pages[0].info

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table that was read."""
        return dict(self.info["versions"])

    def pages(self) -> Iterator[pa.Table]:
        """The pages, one after the other.

        Raises:
            PlatformError: as the server answers; permission is asked for again on every page.
        """
        number = 0
        while True:
            page = self._page(number)
            if page is None:
                return
            yield page.table
            number += 1

    def arrow(self) -> pa.Table:
        """The whole result as an Arrow table.

        Raises:
            UsageError: when it has more rows than the server keeps; a part is never given for the whole.
        """
        tables = list(self.pages())
        last = self._pages[-1].info
        if last["truncated"]:
            more = "more than " if last["total_is_minimum"] else ""
            raise UsageError(
                f"The result has {more}{last['total_rows']:,} rows, of which {sum(map(len, tables)):,} can be had.",
                hint="Filter by date, select less, or take what there is page by page: pages().",
            )
        return pa.concat_tables(tables) if len(tables) > 1 else tables[0]

    def polars(self) -> pl.DataFrame:
        """The whole result as a Polars frame, repeated names numbered (`a`, `a_2`); raises as `arrow` does."""
        import polars as pl  # noqa: PLC0415 - takes its time, and may not be there

        frame = pl.from_arrow(distinct_names(self.arrow()))  # pyright: ignore[reportUnknownMemberType] - partial stubs
        return cast("pl.DataFrame", frame)

    def pandas(self) -> pd.DataFrame:
        """The whole result as a pandas frame; raises as `rows` does."""
        with _no_value():
            return self.arrow().to_pandas()  # pyright: ignore[reportUnknownMemberType] - partial stubs

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The whole result as dictionaries, repeated names numbered (`a`, `a_2`).

        Raises:
            UsageError: as `arrow` does; and when a date is infinite or outside the years 1 to 9999, or a time is 24:00.
        """
        table = distinct_names(self.arrow())
        with _no_value():
            for column in cast("list[Any]", table.columns):
                _require_a_time(column)
            return table.to_pylist()

    def __len__(self) -> int:
        return int(self.info["total_rows"])

    def __repr__(self) -> str:
        return f"QueryResult({self.info['total_rows']:,} rows, versions {self.info['versions']})"

    def _page(self, number: int) -> Page | None:
        if number == len(self._pages):
            cursor = self._pages[-1].info.get("cursor")
            if not cursor:
                return None
            self._pages.append(self._follow(cursor))
        return self._pages[number]


@contextmanager
def _no_value() -> Generator[None]:
    try:
        yield
    except (OverflowError, ValueError):
        raise UsageError(
            "The result has a date that Python has no value for: infinity, or outside the years 1 to 9999; or 24:00.",
            hint="Take arrow(), or cast it to text in the query: CAST(... AS VARCHAR).",
        ) from None


def _require_a_time(column: Any) -> None:  # noqa: ANN401 - an Arrow column, whose class is generic without a use here
    """Refuse 24:00, which Arrow gives to Python as 00:00.

    Raises:
        ValueError: when it is there.
    """
    if pa.types.is_time64(column.type):
        greatest = cast("Any", pc).max(column.cast(pa.int64())).as_py()
        if greatest is not None and greatest >= _DAY[column.type.unit]:
            raise ValueError


def page_from(content: bytes) -> Page:
    """Read a page that came as an Arrow stream.

    Raises:
        PlatformError: when it is none, as when the answer was cut off.
    """
    try:
        with pa.ipc.open_stream(content) as stream:
            table = stream.read_all()
        about = json.loads((table.schema.metadata or {})[ABOUT])
    except (pa.ArrowException, KeyError, ValueError):
        raise PlatformError("The server's answer is no page of rows.", hint="Try again.") from None
    return Page(table.replace_schema_metadata(None), about)
