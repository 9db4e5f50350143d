"""Trading calendars: which days are sessions.

From 1970 on, exchange_calendars' XNYS agrees with the dates of the daily Fama-French file day by day. Before that it
counts some holidays as sessions and lacks the Saturday sessions (until 1952), so it is not used as a judge there.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any, Final, Protocol

STRICT_FROM: Final = dt.date(1970, 1, 1)


class TradingCalendar(Protocol):
    """Which days an exchange is open."""

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is a session."""
        ...

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The sessions from `start` to `end`, both inclusive, in order."""
        ...


class ExchangeCalendar:
    """A calendar of the exchange_calendars package, by its code such as ``XNYS``."""

    def __init__(self, code: str, start: dt.date) -> None:
        import exchange_calendars  # noqa: PLC0415 - slow to import, needed only when a partition is judged

        # Sessions announced for about a year ahead are included by the package's default end.
        calendar: Any = exchange_calendars.get_calendar(code, start=start.isoformat())
        self._sessions: list[dt.date] = [stamp.date() for stamp in calendar.sessions]
        self._known = frozenset(self._sessions)

    def is_trading_day(self, day: dt.date) -> bool:
        """Whether the day is a session."""
        return day in self._known

    def trading_days_between(self, start: dt.date, end: dt.date) -> list[dt.date]:
        """The sessions from `start` to `end`, both inclusive, in order."""
        return [day for day in self._sessions if start <= day <= end]


@cache
def trading_calendar(code: str) -> TradingCalendar:
    """The calendar of an exchange from 1970 on; made once per process, since making one is slow."""
    return ExchangeCalendar(code, STRICT_FROM)
