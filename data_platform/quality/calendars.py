"""Calendars: which days are sessions, or for monthly tables which days or sessions end a month.

From 1970 on, exchange_calendars' XNYS agrees with the dates of the daily Fama-French file day by day. Before that it
counts some holidays as sessions and lacks the Saturday sessions (until 1952), so it is not used as a judge there.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from functools import cache
from typing import Any, Final, Protocol

STRICT_FROM: Final = dt.date(1970, 1, 1)

MONTH_END: Final = "month_end"
LAST_SESSION: Final = "last_session:"


class TradingCalendar(Protocol):
    """Which days an exchange is open, or a table has rows.

    `strict_from` is the first day on which the calendar is known to be right. Before it, a whole year has at least
    `fewest_a_year` dates, and two dates lie at most `longest_gap` apart.
    """

    @property
    def strict_from(self) -> dt.date:
        """The first day on which the calendar is known to be right."""
        ...

    @property
    def fewest_a_year(self) -> int:
        """How many dates every whole year has at least."""
        ...

    @property
    def longest_gap(self) -> dt.timedelta:
        """How far one date lies from the next at most."""
        ...

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is a session."""
        ...

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The sessions from `start` to `end`, both inclusive, in order."""
        ...


class ExchangeCalendar:
    """A calendar of the exchange_calendars package, by its code such as ``XNYS``.

    Since 1927 the New York exchange had at least 226 sessions a year (1968, with its Wednesday closings), and its
    longest closing was the bank holiday of March 1933, eleven days.
    """

    fewest_a_year = 220
    longest_gap = dt.timedelta(days=14)

    def __init__(self, code: str) -> None:
        import exchange_calendars  # noqa: PLC0415 - slow to import, needed only when a partition is judged

        # Sessions announced for about a year ahead are included by the package's default end.
        exchange: Any = exchange_calendars.get_calendar(code, start=STRICT_FROM.isoformat())
        self._sessions: list[dt.date] = [stamp.date() for stamp in exchange.sessions]
        self._known = frozenset(self._sessions)
        self.strict_from = STRICT_FROM

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is a session."""
        return day in self._known

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The sessions from `start` to `end`, both inclusive, in order."""
        return [day for day in self._sessions if start <= day <= end]


class LastSessionCalendar:
    """The last session of every month of an exchange, of those months whose next one is known too."""

    fewest_a_year = 12
    longest_gap = dt.timedelta(days=40)

    def __init__(self, exchange: TradingCalendar) -> None:
        sessions = exchange.trading_days_between(exchange.strict_from, dt.date.max)
        self._sessions = [
            day for day, after in itertools.pairwise(sessions) if (day.year, day.month) != (after.year, after.month)
        ]
        self._known = frozenset(self._sessions)
        self.strict_from = exchange.strict_from

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is the last session of its month."""
        return day in self._known

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The last sessions of months from `start` to `end`, both inclusive, in order."""
        return [day for day in self._sessions if start <= day <= end]


class MonthEndCalendar:
    """The last calendar day of every month, whenever: there is nothing about it to be lenient about."""

    fewest_a_year = 12
    longest_gap = dt.timedelta(days=31)

    def __init__(self) -> None:
        self.strict_from = dt.date.min

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is the last one of its month."""
        return day == _month_end(day.year, day.month)

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The ends of months from `start` to `end`, both inclusive, in order."""
        months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
        days = (_month_end(month // 12, month % 12 + 1) for month in months)
        return [day for day in days if start <= day <= end]


def _month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


@cache
def trading_calendar(code: str) -> TradingCalendar:
    """The calendar of that name, as `catalog.Table` has them; an exchange's from 1970 on.

    Made once per process, since making an exchange's is slow.
    """
    if code == MONTH_END:
        return MonthEndCalendar()
    if code.startswith(LAST_SESSION):
        return LastSessionCalendar(trading_calendar(code.removeprefix(LAST_SESSION)))
    return ExchangeCalendar(code)
