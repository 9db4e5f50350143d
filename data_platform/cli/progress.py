"""Progress of a sync in the terminal: which partition, how many rows, how fast, how much longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text
from typing_extensions import override

from data_platform.cli.output import say, stderr
from data_platform.sync import NotDelivered, PartitionResult, SyncFailure
from data_platform.sync.pace import Pace, counted, duration, remaining_of_all, speed


class SyncProgress:
    """A bar for the partitions and one for their rows; without a terminal, a line for each partition."""

    def __init__(self, table: str, partitions: list[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._partitions = partitions
        self._clock = clock
        self._seconds: list[float] = []
        self._begun = clock()
        self._pace: Pace | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            _Remaining(),
            console=stderr,
            transient=True,
            disable=not stderr.is_terminal,
        )
        self._whole = self._progress.add_task(
            table, total=len(partitions), detail=f"0 of {len(partitions)}", remaining=self.remaining_of_all
        )
        self._rows = self._next(partitions[0] if partitions else "")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def rows(self, pace: Pace) -> None:
        """Show how far the current partition is."""
        self._pace = pace
        self._progress.update(
            self._rows, completed=pace.rows, total=pace.expected, detail=f"{counted(pace)}, {speed(pace.rate)}"
        )
        self._progress.update(self._whole, completed=len(self._seconds) + (pace.share or 0.0))

    def finished(self, result: PartitionResult) -> None:
        """Move on to the next partition."""
        now = self._clock()
        self._seconds.append(now - self._begun)
        self._begun, self._pace = now, None
        done, number = len(self._seconds), len(self._partitions)
        if not stderr.is_terminal:
            remaining = self.remaining_of_all() if done < number else None
            left = f", about {duration(remaining)} left" if remaining else ""
            say(f"{self._table} {result.partition}: {_said(result)} ({done} of {number}{left})")
        self._progress.update(self._whole, completed=done, detail=f"{done} of {number}")
        following = self._partitions[done] if done < number else result.partition
        # A bar that is reset would keep its total.
        self._progress.remove_task(self._rows)
        self._rows = self._next(following)

    def remaining(self) -> float | None:
        """Seconds until the rows of the current partition are there; None when that can't be said."""
        return None if self._pace is None else self._pace.remaining

    def remaining_of_all(self) -> float | None:
        """Seconds until all partitions are synced, estimated from those that are through."""
        later = len(self._partitions) - len(self._seconds) - 1
        if later < 0:
            return 0.0
        return remaining_of_all(self._seconds, self._clock() - self._begun, self.remaining(), later)

    def _next(self, partition: str) -> TaskID:
        return self._progress.add_task(partition, total=None, detail="starting", remaining=self.remaining)


class _Remaining(ProgressColumn):
    """What is left by our own estimate: rich's forgets what is older than half a minute, as most partitions are."""

    @override
    def render(self, task: Task) -> Text:
        seconds = cast("Callable[[], float | None]", task.fields["remaining"])()
        return Text(f"{duration(seconds)} left" if seconds else "", style="progress.remaining")


def _said(result: PartitionResult) -> str:
    if isinstance(result, SyncFailure):
        return "quarantined"
    if isinstance(result, NotDelivered):
        return "not delivered by the source yet"
    status = result.status.value.replace("_", " ")
    rate = f", {speed(result.rows_per_second)}" if result.extract_seconds else ""
    return f"{status}, version {result.manifest.manifest_version}, {result.file.rows:,} rows{rate}"
