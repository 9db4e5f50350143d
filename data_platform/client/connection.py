"""Everything that a server can be asked, as methods: what they need and answer is that of the services behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from data_platform.client.address import address_of, token_of
from data_platform.client.download import destination, fetch
from data_platform.client.places import format_of
from data_platform.client.result import Page, QueryResult, page_from
from data_platform.client.sent import Parameters, segment, statement
from data_platform.client.transport import Transport

Document = dict[str, Any]

PAGE_SIZE = 10_000


class Client:
    """A server and the user whose token it is asked with. Methods raise the errors that the services raise."""

    def __init__(self, url: str | None, token: str | None = None) -> None:
        token = token_of(token)
        self._transport = Transport(address_of(url, with_token=token is not None), token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def query(
        self,
        sql: str,
        *,
        dataset: str,
        as_of: int | str | None = None,
        parameters: Parameters = None,
        page_size: int = PAGE_SIZE,
        timeout_seconds: float = 30.0,
    ) -> QueryResult:
        """Run one SELECT over the tables of a dataset.

        Args:
            sql: DuckDB SQL, at most 16 KiB.
            dataset: only its tables can be named.
            as_of: a version, a tag or a date to read as of; the latest version unless given.
            parameters: the values of ``?`` and ``$1``, or of ``$name``.
            page_size: rows a page, at most 10,000.
            timeout_seconds: at most 30.
        """
        page = self.query_page(
            sql, dataset=dataset, as_of=as_of, parameters=parameters, page_size=page_size, seconds=timeout_seconds
        )
        return QueryResult(page, self.follow)

    def query_page(
        self,
        sql: str,
        *,
        dataset: str,
        as_of: int | str | None = None,
        parameters: Parameters = None,
        page: int = 1,
        page_size: int = PAGE_SIZE,
        seconds: float = 30.0,
    ) -> Page:
        """One page of a query's result, by its number."""
        body = {**statement(sql, dataset, as_of, parameters), "page": page, "page_size": page_size}
        return page_from(self._transport.send_for_rows("queries", {**body, "wait_seconds": seconds}))

    def follow(self, cursor: str) -> Page:
        """The page that a cursor leads to."""
        return page_from(self._transport.get_rows("pages", cursor=cursor))

    def submit(
        self, sql: str, *, dataset: str, as_of: int | str | None = None, parameters: Parameters = None
    ) -> Document:
        """Have a query run without waiting for it; `status` and `result` take the `id` of the answer."""
        return self._transport.send("POST", "queries", statement(sql, dataset, as_of, parameters))

    def status(self, query_id: UUID | str) -> Document:
        """Where a query or an export stands."""
        return self._transport.get(f"queries/{segment(query_id)}")

    def result(self, query_id: UUID | str, page_size: int = PAGE_SIZE) -> QueryResult:
        """The result of a query that was submitted and is done, in pages of up to 10,000 rows."""
        content = self._transport.get_rows(f"queries/{segment(query_id)}/result", page_size=page_size)
        return QueryResult(page_from(content), self.follow)

    def dry_run(
        self, sql: str, *, dataset: str, as_of: int | str | None = None, parameters: Parameters = None
    ) -> Document:
        """What a query would read and answer with, without reading a row."""
        return self._transport.send("POST", "queries/dry-run", statement(sql, dataset, as_of, parameters))

    def history(self, limit: int = 50, dataset: str | None = None) -> list[Document]:
        """Your queries and exports of the last 24 hours, newest first."""
        return self._transport.get("queries", limit=limit, dataset=dataset)

    def cancel(self, query_id: UUID | str) -> Document:
        """Stop a query or an export of yours."""
        return self._transport.send("POST", f"queries/{segment(query_id)}/cancel")

    def running(self) -> list[Document]:
        """What runs or waits now, everybody's. For administrators."""
        return self._transport.get("queries/running")

    def kill(self, query_id: UUID | str, reason: str) -> Document:
        """Stop anybody's query or export. For administrators."""
        return self._transport.send("POST", f"queries/{segment(query_id)}/kill", {"reason": reason})

    def export(
        self,
        sql: str,
        path: Path | str,
        *,
        dataset: str,
        format: str | None = None,  # noqa: A002 - as the service calls it
        as_of: int | str | None = None,
        parameters: Parameters = None,
        escape_formulas: bool = False,
    ) -> Document:
        """Export a whole result, download it to a file and check its SHA-256 against the manifest, which is returned.

        The format is that of the file's name unless one is given. A file that is there is replaced, once the new one
        is whole. Whether it can be written is known before anything is asked.

        Raises:
            UsageError: when no format is given and the name has none, or the file can't be written there.
            ChecksumMismatchError: when what arrived is not what was exported; no file is left.
        """
        chosen = format or format_of(Path(path))
        with destination(Path(path)) as file:
            job = self.begin_export(
                sql,
                dataset=dataset,
                format=chosen,
                as_of=as_of,
                parameters=parameters,
                escape_formulas=escape_formulas,
            )
            return fetch(self._transport, f"exports/{segment(job['export_id'])}", file)

    def begin_export(
        self,
        sql: str,
        *,
        dataset: str,
        format: str = "csv",  # noqa: A002 - as the service calls it
        as_of: int | str | None = None,
        parameters: Parameters = None,
        escape_formulas: bool = False,
    ) -> Document:
        """Have an export written on the server; `download` takes the `export_id` of the answer."""
        body = {**statement(sql, dataset, as_of, parameters), "format": format, "escape_formulas": escape_formulas}
        return self._transport.send("POST", "exports", body)

    def download(self, export_id: UUID | str, path: Path | str) -> Document:
        """Download an export, checked as `export` does; its manifest."""
        with destination(Path(path)) as file:
            return fetch(self._transport, f"exports/{segment(export_id)}", file)

    def datasets(self) -> list[Document]:
        """The datasets that you may see."""
        return self._transport.get("datasets")

    def describe(self, dataset: str) -> Document:
        """The tables of a dataset with their columns."""
        return self._transport.get(f"datasets/{segment(dataset)}")

    def preview(self, dataset: str, limit: int = 100, table: str | None = None) -> Document:
        """The first rows of a table. Counts as a query."""
        path = f"datasets/{segment(dataset)}/preview"
        return self._transport.get(path, again=False, limit=limit, table=table)

    def quota(self) -> Document:
        """How many queries and exports the limits leave you now."""
        return self._transport.get("quota")

    def coverage(self, dataset: str, table: str | None = None) -> list[Document]:
        """What the newest version of each partition covers."""
        return self._transport.get("coverage", dataset=dataset, table=table)

    def quality(self, dataset: str, table: str | None = None, limit: int = 50) -> list[Document]:
        """The newest verdicts on a dataset or a table."""
        return self._transport.get("quality/results", dataset=dataset, table=table, limit=limit)

    def trends(self, dataset: str, table: str | None = None, days: int = 30) -> Document:
        """Row counts, missing values, pass rates and anomalies of the last days."""
        return self._transport.get("quality/trends", dataset=dataset, table=table, days=days)

    def alerts(
        self,
        *,
        dataset: str | None = None,
        table: str | None = None,
        severity: str | None = None,
        acknowledged: bool | None = None,
        limit: int = 100,
    ) -> list[Document]:
        """The newest alerts of your datasets."""
        return self._transport.get(
            "alerts", dataset=dataset, table=table, severity=severity, acknowledged=acknowledged, limit=limit
        )

    def alert_groups(
        self, *, dataset: str | None = None, severity: str | None = None, acknowledged: bool | None = None
    ) -> list[Document]:
        """The same, counted by metric and severity."""
        return self._transport.get("alerts/groups", dataset=dataset, severity=severity, acknowledged=acknowledged)

    def acknowledge(self, alert_id: int, reason: str) -> Document:
        """Settle an alert."""
        return self._transport.send("POST", f"alerts/{segment(alert_id)}/acknowledge", {"reason": reason})

    def sync_status(self) -> list[Document]:
        """Where every table of your datasets stands."""
        return self._transport.get("sync/status")

    def sync_history(self, days: int = 30) -> list[Document]:
        """What happened on each of the last days."""
        return self._transport.get("sync/history", days=days)

    def conditions(self) -> list[Document]:
        """What in the warehouse needs a person."""
        return self._transport.get("sync/conditions")

    def logs(self, dataset: str | None = None, level: str | None = None, limit: int = 100) -> list[Document]:
        """The newest lines of the log of syncs."""
        return self._transport.get("sync/logs", dataset=dataset, level=level, limit=limit)

    def schedules(self) -> list[Document]:
        """When the tables of your datasets are synced by themselves."""
        return self._transport.get("sync/schedules")

    def change_schedule(self, dataset: str, table: str, expected_version: int, **change: object) -> Document:
        """Change a schedule: `enabled`, `cron_expression`, `timezone`, `reason`."""
        path = f"sync/schedules/{segment(dataset)}/{segment(table)}"
        return self._transport.send("PUT", path, {"expected_version": expected_version, **change})

    def trigger_sync(
        self,
        dataset: str,
        table: str,
        reason: str,
        *,
        partitions: Sequence[str] = (),
        all_partitions: bool = False,
        full: bool = False,
    ) -> Document:
        """Start a sync of a table now, as a run in the server's queue; the answer names it."""
        body = {
            "table": table,
            "reason": reason,
            "partitions": list(partitions),
            "all_partitions": all_partitions,
            "full": full,
        }
        return self._transport.send("POST", f"sync/{segment(dataset)}/trigger", body)
