"""The coverage of a table as a picture: symbols over time above, the calendar's missing dates below."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from data_platform.quality.coverage import Gap

_INCHES: Final = (7.0, 2.8)
_DOTS_PER_INCH: Final = 90
_LINE: Final = "#2f6f9f"
_MISSING: Final = "#c0392b"


Part = tuple[Mapping[str, int], Sequence[Gap], int | None]
"""Of one partition: symbols by month, gaps, and the number of missing dates, as `coverage.Coverage` has them."""


def draw_partitions(title: str, parts: Iterable[Part]) -> bytes | None:
    """Return the picture of a whole table from its partitions; None when none of them has dates."""
    listed = list(parts)
    months = {month: count for symbols, _, _ in listed for month, count in symbols.items()}
    gaps = [gap for _, each, _ in listed for gap in each]
    return draw_coverage(title, months, gaps, sum(missing or 0 for _, _, missing in listed)) if months else None


def draw_coverage(title: str, symbols_by_month: Mapping[str, int], gaps: Sequence[Gap], missing: int) -> bytes:
    """Return a PNG of some 15 KB; months are the keys, as in "2024-03", `missing` all missing dates, of more gaps too.

    It is drawn without a display and without matplotlib's global state, so in any thread.
    """
    # Slow to import, and only needed where there is something to show.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - see above
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure: Any = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (5, 1)})
    months = sorted(symbols_by_month)
    days = [dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=dt.UTC) for month in months]
    counts = [symbols_by_month[month] for month in months]
    above.plot(days, counts, color=_LINE, linewidth=1.5, marker="o" if len(months) == 1 else "")
    above.fill_between(days, counts, color=_LINE, alpha=0.15)
    above.set_ylim(bottom=0)
    above.set_ylabel("symbols a date")
    above.set_title(title, loc="left", fontsize=10)
    above.grid(visible=True, alpha=0.3)
    for gap in gaps:
        # A day's width at least, so that a single missing session shows.
        below.axvspan(gap.first, gap.last + dt.timedelta(days=1), color=_MISSING, linewidth=1.0)
    below.set_yticks([])
    below.set_ylabel("missing", rotation=0, ha="right", va="center", fontsize=8)
    below.set_xlabel(f"{missing:,} dates missing" if missing else "no date missing", fontsize=8)
    png = io.BytesIO()
    # The library writes its version into the file, by which equal charts would differ from release to release.
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()
