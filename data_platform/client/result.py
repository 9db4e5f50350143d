"""The result of a query: its pages as they are asked for, or all of it as Arrow, Polars, pandas or rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from data_platform.client.wire import ABOUT
from data_platform.errors import PlatformError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


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
        """The whole result as a Polars frame; raises as `arrow` does."""
        import polars as pl  # noqa: PLC0415 - takes its time, and may not be there

        frame = pl.from_arrow(self.arrow())  # pyright: ignore[reportUnknownMemberType] - partial stubs
        return cast("pl.DataFrame", frame)

    def pandas(self) -> pd.DataFrame:
        """The whole result as a pandas frame; raises as `arrow` does."""
        return self.arrow().to_pandas()  # pyright: ignore[reportUnknownMemberType] - partial stubs

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The whole result as dictionaries.

        Raises:
            UsageError: as `arrow` does; and when a date is infinite or outside the years 1 to 9999.
        """
        table = self.arrow()
        try:
            return table.to_pylist()
        except (OverflowError, ValueError):
            raise UsageError(
                "The result has a date that Python has no value for: infinity, or outside the years 1 to 9999.",
                hint="Take arrow() or polars(), or cast it to text in the query: CAST(... AS VARCHAR).",
            ) from None

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
