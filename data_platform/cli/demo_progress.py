"""What a person sees while the demo is loaded: a bar per relation; without a terminal, nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from data_platform.cli.output import stderr
from data_platform.sources.demo.replacing import LoadProgress


@contextmanager
def load_bar() -> Generator[Callable[[LoadProgress], None]]:
    """Bars that the block feeds; they are gone when it ends."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:

        def watch(loaded: LoadProgress) -> None:
            if loaded.relation not in tasks:
                tasks[loaded.relation] = progress.add_task(loaded.relation, total=loaded.expected)
            # One without rows is done at once, and a bar of nothing would never be.
            total = max(loaded.rows, 1) if loaded.finished else loaded.expected
            completed = total if loaded.finished and not loaded.rows else loaded.rows
            progress.update(tasks[loaded.relation], completed=completed, total=total)

        yield watch
