"""What a person sees of backups: the bar while bytes travel, a set in a line, a drill in two tables."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from data_platform.cli.output import print_table, say, stderr
from data_platform.errors import ChecksumMismatchError
from data_platform.sync.drill import DrillReport
from data_platform.warehouse.backup import Backups


def print_drill(report: DrillReport) -> None:
    """Print what a drill checked and measured, and what failed."""
    print_table(
        f"Drill of {report.set_id}",
        ["Table", "Versions", "Files", "Rows read", "Compared with live", "Problems"],
        [[t.table, t.versions, t.files, t.rows, t.compared_versions, len(t.problems)] for t in report.tables],
    )
    print_table(
        "",
        ["", "Hours", "Allowed"],
        [
            ["Age of the newest backup", round(report.recovery_point_hours, 3), report.recovery_point_limit_hours],
            ["Restoring it", round(report.recovery_time_hours, 3), report.recovery_time_limit_hours],
        ],
    )
    for failure in report.failures:
        say(f"Failed: {failure}.")
    if report.passed:
        say("The drill passed: the backup is whole, and its records work.")


def describe_set(backups: Backups, set_id: str, key_name: str) -> dict[str, object]:
    """What is told of a set; of one whose index is damaged, its name and that."""
    try:
        found = backups.get(set_id)
    except ChecksumMismatchError as error:
        return {
            "id": set_id,
            "kind": set_id.rpartition("-")[2],
            "created_at": None,
            "objects": None,
            "bytes": None,
            "key": key_name,
            "note": error.message,
        }
    return {
        "id": set_id,
        "kind": found.kind,
        "created_at": f"{found.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "objects": len(found.files),
        "bytes": found.bytes,
        "key": key_name,
        "note": f"{len(found.missing)} files had no sound copy" if found.missing else "",
    }


@contextmanager
def byte_bar(doing: str) -> Generator[Callable[[int, int], None]]:
    """A bar for bytes; the block tells it how many went by just now and how many there are."""
    columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=None)

        def watch(size: int, total: int) -> None:
            progress.update(task, advance=size, total=total)

        yield watch
