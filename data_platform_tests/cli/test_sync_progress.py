"""What a person sees of a sync while it runs: rows, rate and what is left, of the partition and of all."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from data_platform.cli import progress
from data_platform.cli.progress import SyncProgress
from data_platform.sync import NotDelivered
from data_platform.sync.pace import Pace

YEARS = ["2021", "2022", "2023", "2024"]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def drawn(watched: SyncProgress) -> str:
    """What the terminal would show now."""
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None)
    console.print(watched._progress.get_renderable())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def receive(watched: SyncProgress, clock: Clock, expected: int | None, *, seconds: int, rate: int) -> None:
    """So many seconds of a steady extraction."""
    pace = Pace.begin(expected, clock.now)
    for _ in range(seconds):
        clock.now += 1
        pace = pace.after(rate, clock.now)
        watched.rows(pace)


def test_what_is_left_is_shown_for_the_partition_and_for_all(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "stderr", Console(file=io.StringIO(), force_terminal=True))
    watched = SyncProgress("crsp_daily", YEARS, clock=clock)
    before, first = drawn(watched).splitlines()[:2]
    assert before.startswith("crsp_daily")
    assert "0 of 4" in before
    assert first.startswith("2021")
    assert "starting" in first
    assert "left" not in before + first
    # Longer than the half minute that rich itself looks back.
    receive(watched, clock, 100_000, seconds=90, rate=1_000)
    whole, rows = drawn(watched).splitlines()[:2]
    assert "90,000 of 100,000 rows (90 %), 1,000 rows/s" in rows
    assert "10 s left" in rows
    assert "5 min 10 s left" in whole
    clock.now += 10
    watched.finished(NotDelivered("2021"))
    whole, rows = drawn(watched).splitlines()[:2]
    assert "1 of 4" in whole
    # Nobody knows how many rows there will be; the first one took 100 s.
    assert "5 min 0 s left" in whole
    assert rows.startswith("2022")
    assert "left" not in rows
    clock.now += 40
    assert "4 min 20 s left" in drawn(watched)
    receive(watched, clock, None, seconds=20, rate=1_000)
    whole, rows = drawn(watched).splitlines()[:2]
    assert "20,000 rows, 1,000 rows/s" in rows
    # Forty seconds of waiting and twenty of rows, out of a hundred.
    assert "4 min 0 s left" in whole
    for year in YEARS[1:]:
        watched.finished(NotDelivered(year))
    assert "left" not in drawn(watched)


def test_without_a_terminal_each_partition_is_a_line(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "stderr", Console(file=io.StringIO(), force_terminal=False))
    with SyncProgress("crsp_daily", YEARS[:2], clock=clock) as watched:
        receive(watched, clock, 100, seconds=30, rate=1)
        watched.finished(NotDelivered("2021"))
        watched.finished(NotDelivered("2022"))
    assert capsys.readouterr().err.splitlines() == [
        "crsp_daily 2021: not delivered by the source yet (1 of 2, about 30 s left)",
        "crsp_daily 2022: not delivered by the source yet (2 of 2)",
    ]
