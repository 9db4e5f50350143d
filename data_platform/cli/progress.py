"""Progress of a sync in the terminal: which partition, how many rows, how fast, how much longer."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from data_platform.cli.output import stderr
from data_platform.sync import SyncFailure, SyncOutcome


class SyncProgress:
    """A bar for the partitions and one for the rows of the current one; silent when nobody watches a terminal."""

    def __init__(self, table: str, partitions: list[str]) -> None:
        self._partitions = partitions
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=stderr,
            transient=True,
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

    def finished(self, result: SyncOutcome | SyncFailure) -> None:
        """Move on to the next partition."""
        self._done += 1
        self._progress.update(self._whole, completed=self._done, detail=f"{self._done} of {len(self._partitions)}")
        following = self._partitions[self._done] if self._done < len(self._partitions) else result.partition
        self._progress.reset(self._rows, description=following, total=None, detail="starting")
