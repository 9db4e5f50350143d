"""Progress of a sync in the terminal: which partition, how many rows, how fast, how much longer."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from data_platform.cli.output import say, stderr
from data_platform.sync import NotDelivered, PartitionResult, SyncFailure


class SyncProgress:
    """A bar for the partitions and one for their rows; without a terminal, a line for each partition."""

    def __init__(self, table: str, partitions: list[str]) -> None:
        self._table = table
        self._partitions = partitions
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr,
            transient=True,
            disable=not stderr.is_terminal,
        )
        self._whole = self._progress.add_task(table, total=len(partitions), detail=f"0 of {len(partitions)}")
        self._rows = self._progress.add_task(partitions[0] if partitions else "", total=None, detail="starting")
        self._done = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def rows(self, received: int, expected: int | None) -> None:
        """Show the rows received of the current partition."""
        speed = self._progress.tasks[self._rows].speed
        rate = f", {speed:,.0f} rows/s" if speed else ""
        self._progress.update(self._rows, completed=received, total=expected, detail=f"{received:,} rows{rate}")

    def finished(self, result: PartitionResult) -> None:
        """Move on to the next partition."""
        self._done += 1
        if not stderr.is_terminal:
            say(f"{self._table} {result.partition}: {_said(result)} ({self._done} of {len(self._partitions)})")
        self._progress.update(self._whole, completed=self._done, detail=f"{self._done} of {len(self._partitions)}")
        following = self._partitions[self._done] if self._done < len(self._partitions) else result.partition
        self._progress.reset(self._rows, description=following, total=None, detail="starting")


def _said(result: PartitionResult) -> str:
    if isinstance(result, SyncFailure):
        return "quarantined"
    if isinstance(result, NotDelivered):
        return "not delivered by the source yet"
    status = result.status.value.replace("_", " ")
    return f"{status}, version {result.manifest.manifest_version}, {result.file.rows:,} rows"
