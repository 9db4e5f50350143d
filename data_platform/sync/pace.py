"""How far an extraction is, how fast it goes and how long it will take: pure arithmetic, with the clock passed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

_MEMORY_SECONDS: Final = 15.0
"""The rate is an average in which a moment counts for 1/e of what it counted so many seconds ago."""

_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Pace:
    """The state of one extraction after its latest batch.

    `started` and `now` are seconds of one monotonic clock, `expected` is the source's own count of rows, if it has one.
    """

    started: float
    now: float
    expected: int | None
    rows: int = 0
    # When the latest batch came; both sums forget at the same speed.
    _counted_at: float | None = None
    _flow: float = 0.0
    _weight: float = 0.0

    @classmethod
    def begin(cls, expected: int | None, now: float) -> Pace:
        """Nothing has arrived yet."""
        return cls(now, now, expected)

    def after(self, rows: int, now: float) -> Pace:
        """Return the pace after a batch of so many rows.

        How long the first batch took to come says nothing about the next ones: the source was busy sorting.
        """
        arrived = replace(self, rows=self.rows + rows, now=now, _counted_at=now)
        passed = 0.0 if self._counted_at is None else now - self._counted_at
        if passed > 0:
            weight = -math.expm1(-passed / _MEMORY_SECONDS)
            flow = self._flow * (1 - weight) + rows / passed * weight
            return replace(arrived, _flow=flow, _weight=self._weight * (1 - weight) + weight)
        # In the moment of the batch before: part of the first one, or what the above tends to.
        return replace(arrived, _flow=self._flow + rows / _MEMORY_SECONDS) if self._weight > 0 else arrived

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self.now - self.started

    @property
    def average(self) -> float:
        """Rows per second since the beginning; 0 before there are any."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def rate(self) -> float:
        """Rows per second lately."""
        return self._flow / self._weight if self._weight > 0 else self.average

    @property
    def share(self) -> float | None:
        """How much of the expected rows is there, 0 to 1; None when nobody knows how many there are."""
        if self.expected is None:
            return None
        return min(1.0, self.rows / self.expected) if self.expected else 1.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the expected rows are there at the present rate; None when that can't be said."""
        if self.expected is None:
            return None
        missing = self.expected - self.rows
        if missing <= 0:
            return 0.0
        return missing / self.rate if self.rate > 0 else None


def remaining_of_all(done: Sequence[float], elapsed: float, remaining: float | None, later: int) -> float | None:
    """Estimate the seconds until several partitions are synced, whose sizes nobody knows beforehand; None at first.

    `done` has the seconds of those that are through, `elapsed` and `remaining` belong to the one under way (the latter
    to its extraction), and `later` are still to come. Each takes what the others took on average, unless its rows alone
    take longer; before the first is through, what that one will have taken.
    """
    if remaining is None and not done:
        return None
    typical = sum(done) / len(done) if done else elapsed + (remaining or 0.0)
    # Once its rows are there it is still to be checked and published, which the others were too.
    return max(remaining or 0.0, typical - elapsed) + later * typical


def progress_line(title: str, pace: Pace) -> str:
    """Say how far it is: "crsp_daily 2024: 1,200,000 of 2,470,000 rows (48 %), 310,000 rows/s, about 5 s left"."""
    parts = [f"{title}: {counted(pace)}", speed(pace.rate)]
    if pace.remaining:
        parts.append(f"about {duration(pace.remaining)} left")
    return ", ".join(parts)


def closing_line(title: str, pace: Pace) -> str:
    """Say how it went, once all rows are there."""
    missed = pace.expected is not None and pace.expected != pace.rows
    rows = f"{pace.rows:,} of {pace.expected:,} rows" if missed else f"{pace.rows:,} rows"
    took = f"{pace.seconds:.1f} s" if pace.seconds < _MINUTE else duration(pace.seconds)
    return f"{title}: {rows} in {took}, {speed(pace.average)}"


def counted(pace: Pace) -> str:
    """The rows, and what share they are. It is 100 % only when all are there."""
    if pace.expected is None or pace.share is None:
        return f"{pace.rows:,} rows"
    return f"{pace.rows:,} of {pace.expected:,} rows ({math.floor(100 * pace.share)} %)"


def speed(rate: float) -> str:
    """A rate with three digits that mean something."""
    digits = 2 - math.floor(math.log10(rate)) if rate >= 1 else 0
    return f"{round(rate, min(digits, 0)):,.0f} rows/s"


def duration(seconds: float) -> str:
    """A duration for people: seconds are rounded up, so that what is left never reads 0."""
    whole = math.ceil(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
