"""How fast, and how much longer: worked out from rows and moments alone."""

from __future__ import annotations

import pytest

from data_platform.sync.pace import Pace, closing_line, duration, progress_line, remaining_of_all, speed

Batches = list[tuple[float, int]]


def paced(expected: int | None, batches: Batches) -> Pace:
    """The pace after batches, each at its moment; the extraction began at 100 s."""
    pace = Pace.begin(expected, 100.0)
    for moment, rows in batches:
        pace = pace.after(rows, 100.0 + moment)
    return pace


def steady(seconds: int, rate: int, start: float = 0.0) -> Batches:
    return [(start + second, rate) for second in range(1, seconds + 1)]


@pytest.mark.parametrize(
    ("batches", "rate"),
    [
        ([], 0.0),
        ([(0.0, 10)], 0.0),
        ([(2.0, 1_000)], 500.0),
        (steady(60, 1_000), 1_000.0),
        # Twenty seconds of sorting before the first row are no reason to promise hours.
        ([(20.0, 1_000), *steady(5, 1_000, start=20.0)], 1_000.0),
        # Two batches in one moment are one batch.
        ([(1.0, 500), (1.0, 500), (2.0, 500), (2.0, 500), (3.0, 1_000)], 1_000.0),
        ([(1.0, 1_000), (1.5, 0), (2.0, 1_000), (2.5, 0), (3.0, 1_000)], 1_000.0),
    ],
)
def test_the_rate_is_that_of_the_rows(batches: Batches, rate: float) -> None:
    assert paced(None, batches).rate == pytest.approx(rate, rel=0.05)


def test_the_rate_follows_the_source_within_a_minute() -> None:
    slower = paced(None, steady(120, 1_000) + steady(60, 100, start=120.0))
    assert 100 < slower.rate < 120
    assert slower.average == pytest.approx(126_000 / 180)
    # A single pause is no new rate.
    paused = paced(None, [*steady(120, 1_000), (123.0, 1_000)])
    assert 850 < paused.rate < 1_000


@pytest.mark.parametrize(
    ("expected", "batches", "remaining", "share"),
    [
        (None, steady(10, 100), None, None),
        (10_000, [], None, 0.0),
        (10_000, steady(10, 100), 90.0, 0.1),
        (1_000, steady(10, 100), 0.0, 1.0),
        (900, steady(10, 100), 0.0, 1.0),
        (0, [], 0.0, 1.0),
    ],
)
def test_what_is_left(expected: int | None, batches: Batches, remaining: float | None, share: float | None) -> None:
    pace = paced(expected, batches)
    assert pace.remaining == (None if remaining is None else pytest.approx(remaining))
    assert pace.share == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("done", "elapsed", "remaining", "later", "expected"),
    [
        ([], 0.0, None, 0, None),
        ([], 0.0, None, 5, None),
        ([], 4.0, 6.0, 0, 6.0),
        ([], 4.0, 6.0, 3, 36.0),
        ([10.0, 20.0], 5.0, 12.0, 2, 42.0),
        # Its rows are there, or nearly; checking and publishing them is not over.
        ([10.0, 20.0], 5.0, 4.0, 2, 40.0),
        ([10.0, 20.0], 12.0, 0.0, 2, 33.0),
        ([10.0, 20.0], 18.0, 0.0, 2, 30.0),
        # Under way, but nobody knows how many rows it has, or it has not begun to send.
        ([10.0, 20.0], 5.0, None, 2, 40.0),
        ([10.0, 20.0], 50.0, None, 2, 30.0),
        ([10.0], 0.0, None, 0, 10.0),
    ],
)
def test_what_is_left_of_several_partitions(
    done: list[float], elapsed: float, remaining: float | None, later: int, expected: float | None
) -> None:
    assert remaining_of_all(done, elapsed, remaining, later) == expected


def test_what_is_said() -> None:
    pace = paced(2_470_000, steady(4, 300_000))
    assert progress_line("crsp_daily 2024", pace) == (
        "crsp_daily 2024: 1,200,000 of 2,470,000 rows (48 %), 300,000 rows/s, about 5 s left"
    )
    assert progress_line("t all", paced(None, steady(4, 312_345))) == "t all: 1,249,380 rows, 312,000 rows/s"
    almost = progress_line("t 2024", paced(1_000_000, steady(1, 999_999)))
    assert "999,999 of 1,000,000 rows (99 %)" in almost
    assert progress_line("t 2024", paced(400, steady(4, 100))) == "t 2024: 400 of 400 rows (100 %), 100 rows/s"
    assert closing_line("t 2024", paced(400, steady(4, 100))) == "t 2024: 400 rows in 4.0 s, 100 rows/s"
    assert closing_line("t 2024", paced(401, steady(80, 5))) == "t 2024: 400 of 401 rows in 1 min 20 s, 5 rows/s"
    assert closing_line("t 2024", paced(0, [])) == "t 2024: 0 rows in 0.0 s, 0 rows/s"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (0.2, "1 s"), (59, "59 s"), (59.1, "1 min 0 s"), (200, "3 min 20 s"), (3_900, "1 h 5 min")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(0, "0 rows/s"), (0.4, "0 rows/s"), (7, "7 rows/s"), (98_765.4, "98,800 rows/s")]
)
def test_rates(rate: float, expected: str) -> None:
    assert speed(rate) == expected
