"""Coverage: what it counts, which gaps it finds beside a calendar, and its picture."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import polars as pl
from PIL import Image

from data_platform.quality import profile_frame, trading_calendar
from data_platform.quality.coverage import MOST_GAPS, Coverage, Gap, coverage_of
from data_platform.quality.coverage_chart import draw_coverage

XNYS = trading_calendar("XNYS")
YEAR = XNYS.trading_days_between(dt.date(2023, 1, 1), dt.date(2023, 12, 31))


def covered(rows: list[tuple[int, dt.date]], calendar: str | None = "XNYS") -> Coverage:
    frame = pl.DataFrame(rows, {"permno": pl.Int32, "date": pl.Date}, orient="row").sort("permno", "date")
    profile = profile_frame(frame.lazy(), key=("permno", "date"), date_column="date", null_counts={})
    return coverage_of(profile, None if calendar is None else trading_calendar(calendar))


def test_a_whole_year_has_its_dates_its_symbols_and_no_gap() -> None:
    found = covered([(permno, day) for permno in (1, 2) for day in YEAR] + [(3, day) for day in YEAR[200:]])
    assert (found.start, found.end, found.rows) == (YEAR[0], YEAR[-1], 2 * 250 + 50)
    assert (found.symbols, found.dates, found.missing_dates, found.gaps) == (3, 250, 0, ())
    assert list(found.symbols_by_month) == [f"2023-{month:02}" for month in range(1, 13)]
    assert (found.symbols_by_month["2023-01"], found.symbols_by_month["2023-12"]) == (2, 3)


def test_gaps_are_stretches_of_sessions_between_the_first_date_and_the_last() -> None:
    kept = [day for place, day in enumerate(YEAR) if place not in {0, 10, 11, 12, 100, 249}]
    found = covered([(1, day) for day in kept])
    assert found.gaps == (Gap(YEAR[10], YEAR[12], 3), Gap(YEAR[100], YEAR[100], 1))
    assert found.missing_dates == 4


def test_of_many_gaps_the_first_are_listed_and_all_are_counted() -> None:
    found = covered([(1, day) for day in YEAR[::2]])
    assert (len(found.gaps), found.missing_dates) == (MOST_GAPS, len(YEAR[::2]) - 1)


def test_rows_that_stand_on_no_calendar_have_no_missing_dates_to_count() -> None:
    found = covered([(1, dt.date(2023, 1, 7)), (1, dt.date(2023, 9, 9))], None)
    assert (found.missing_dates, found.gaps, found.dates) == (None, (), 2)


def test_nothing_covers_nothing() -> None:
    found = covered([])
    assert (found.rows, found.start, found.end, found.dates, found.missing_dates) == (0, None, None, 0, 0)
    assert found.symbols_by_month == {}


def test_dates_before_the_calendar_is_known_to_be_right_are_not_asked_for() -> None:
    found = covered([(1, dt.date(1968, 1, 2)), (1, dt.date(1970, 1, 5))])
    assert found.gaps == (Gap(dt.date(1970, 1, 2), dt.date(1970, 1, 2), 1),)


def test_the_picture_is_small_and_shows_what_is_missing() -> None:
    months = {f"{year}-{month:02}": 100 + month for year in range(2000, 2025) for month in range(1, 13)}
    whole = draw_coverage("CRSP", months, [], 0)
    holed = draw_coverage("CRSP", months, [Gap(dt.date(2010, 1, 4), dt.date(2010, 6, 30), 120)], 120)
    assert len(whole) < 40_000
    red = [0, 0]
    for place, png in enumerate((whole, holed)):
        image = Image.open(io.BytesIO(png)).convert("RGB")
        assert image.size == (630, 252)
        pixels = np.asarray(image)
        red[place] = int(((pixels[:, :, 0] > 150) & (pixels[:, :, 1] < 90)).sum())
    assert red[0] == 0
    assert red[1] > 100
    assert draw_coverage("CRSP", months, [], 0) == whole


def test_one_month_and_none_are_drawn_too() -> None:
    for months in ({"2024-01": 3}, {}):
        assert draw_coverage("CRSP", months, [], 0).startswith(b"\x89PNG")
