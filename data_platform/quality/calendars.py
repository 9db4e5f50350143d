"""Calendars: which days are sessions, or for monthly tables which days end a month.

From 1970 on, exchange_calendars' XNYS agrees with the dates of the daily Fama-French file day by day. Before that it
counts some holidays as sessions and lacks the Saturday sessions (until 1952), so it is not used as a judge there.
"""

from __future__ import annotations

import calendar
import datetime as dt
from functools import cache
from typing import Any, Final, Protocol

STRICT_FROM: Final = dt.date(1970, 1, 1)

MONTH_END: Final = "month_end"


class TradingCalendar(Protocol):
    """Which days an exchange is open, or a table has rows. `strict_from` is when it begins to be a judge of that."""

    @property
    def strict_from(self) -> dt.date:
        """The first day on which the calendar is known to be right."""
        ...

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is a session."""
        ...

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The sessions from `start` to `end`, both inclusive, in order."""
        ...


class ExchangeCalendar:
    """A calendar of the exchange_calendars package, by its code such as ``XNYS``."""

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


class MonthEndCalendar:
    """The last calendar day of every month, whenever: there is nothing about it to be lenient about."""

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
    """The calendar of that name: ``month_end``, or an exchange's code for its sessions from 1970 on.

    Made once per process, since making an exchange's is slow.
    """
    return MonthEndCalendar() if code == MONTH_END else ExchangeCalendar(code)
