"""Cron expressions in a time zone: whether they make sense, and when they fire next.

The syntax is the standard one: five fields of numbers, names (jan, mon), ranges, lists and steps. Fields reach croniter
as plain lists, because it reads more than that and some of it unexpectedly (`5-5` as the whole field). Days of the
month and of the week that are both limited fire on either, as in every cron.

Where clocks change, a schedule that names hours fires once per date it names: a tick in the hour that is skipped comes
at the first moment after it, one in the hour that comes twice is taken the first time. A schedule of every hour goes by
the time that passes: it skips what does not exist, and fires in both hours. croniter alone would run a daily tick
within the repeated hour twice, so it only counts wall-clock times here and the zone is applied to them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from data_platform.errors import UsageError
from data_platform.records.texts import bounded, shown

LONGEST_EXPRESSION: Final = 200
LONGEST_TIMEZONE: Final = 64

_MINUTE: Final = dt.timedelta(minutes=1)
_REPEATED: Final = dt.timedelta(hours=3)
"""More than any zone puts its clocks back."""
_HORIZON_YEARS: Final = 12
"""29 February comes after at most eight years."""
_TERM: Final = re.compile(r"(?:\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,2}", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*")
_NO_ZONES: Final = re.compile(r"(right|posix)/.*|localtime|posixrules|Factory")
"""Files beside the zones: with leap seconds, or whatever the machine is set to."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        names = f" ({self.names[0]} to {self.names[-1]})" if self.names else ""
        return f"{self.low} to {self.high}{names}"


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_HOUR, _WEEKDAY = _FIELDS[1], _FIELDS[4]


def valid_expression(expression: str) -> str:
    """Return the expression with single spaces, if it makes sense and ever fires.

    Raises:
        UsageError: when it has another form than five standard fields, or names only dates that do not exist.
    """
    tidy = " ".join(bounded(expression, "The cron expression", LONGEST_EXPRESSION).split())
    # Any year will do: what fires at all fires within the horizon.
    next(_walls(tidy, dt.datetime(2000, 1, 1)))
    return tidy


def valid_timezone(timezone: str) -> str:
    """Return the name of the time zone, if there is one of that name.

    Raises:
        UsageError: when there is none.
    """
    return _zone(timezone).key


def next_tick(expression: str, timezone: str, after: dt.datetime) -> dt.datetime:
    """Return the first moment later than `after` at which the expression fires, in UTC.

    Raises:
        UsageError: when the expression or the time zone makes no sense.
        ValueError: when `after` has no time zone of its own.
    """
    check_aware(after)
    zone = _zone(timezone)
    after = after.astimezone(dt.UTC)
    wall = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    tidy = valid_expression(expression)
    hourly = _values(tidy.split()[1], _HOUR, tidy) == set(range(24))
    found: dt.datetime | None = None
    # Of every hour, ticks that the wall clock has passed already may come again.
    for tick in _walls(tidy, wall - _REPEATED if hourly else wall):
        moments = _all_moments(tick, zone) if hourly else [_one_moment(tick, zone)]
        if found is not None and (not moments or moments[0] >= found):
            return found
        later = [moment for moment in moments if moment > after]
        if later and (found is None or later[0] < found):
            found = later[0]
    raise AssertionError("a schedule that fires fires again")


def latest_tick(expression: str, timezone: str, first: dt.datetime, now: dt.datetime) -> dt.datetime:
    """Return the last moment from `first`, which is a tick itself, to `now` at which the expression fires, in UTC.

    Found by halving, so that a long time of missed ticks costs no more than a short one.

    Raises:
        UsageError: when the expression or the time zone makes no sense.
        ValueError: when a moment has no time zone of its own, or `now` is before `first`.
    """
    check_aware(first)
    check_aware(now)
    if now < first:
        raise ValueError("the first tick is still to come")
    found, end = first.astimezone(dt.UTC), now.astimezone(dt.UTC)
    # No tick lies between `end` and now, and no two within one minute.
    while end - found >= _MINUTE:
        middle = found + (end - found) / 2
        following = next_tick(expression, timezone, middle)
        if following <= now:
            found = following
        else:
            end = middle
    following = next_tick(expression, timezone, found)
    return following if following <= now else found


def check_aware(moment: dt.datetime) -> None:
    """Refuse a moment without a time zone.

    Raises:
        ValueError: when it has none.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")


def _all_moments(tick: dt.datetime, zone: ZoneInfo) -> list[dt.datetime]:
    """Return the moments at which the wall clock shows the tick: none, one, or two where the hour is repeated."""
    moments = {tick.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    return sorted(moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None) == tick)


def _one_moment(tick: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the first moment at which the wall clock shows the tick, or the first after it where it never does."""
    while not (moments := _all_moments(tick, zone)):
        tick += _MINUTE
    return moments[0]


def _walls(expression: str, after: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the wall-clock times later than `after` that the expression names."""
    from croniter import croniter  # noqa: PLC0415 - slow to import, and only schedules need it

    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise UsageError(
            f"A cron expression has five fields; {shown(expression)} has {len(fields)}.",
            hint="They are minute, hour, day of the month, month and day of the week, as in '0 2 * * *'.",
        )
    plain = " ".join(_plain(text, field, expression) for text, field in zip(fields, _FIELDS, strict=True))
    ticks = croniter(plain, after, max_years_between_matches=_HORIZON_YEARS)
    found = False
    # It ends when it finds none within the horizon.
    for tick in ticks.all_next(dt.datetime):
        found = True
        yield tick
    if not found:
        raise UsageError(
            f"The cron expression {shown(expression)} never fires: no such date exists.",
            hint="Name days that the months have. To stop a schedule, disable it.",
        )


def _plain(text: str, field: _Field, expression: str) -> str:
    values = _values(text, field, expression)
    if text in {"*", "*/1"}:
        return "*"
    return ",".join(str(value) for value in sorted(values))


def _values(text: str, field: _Field, expression: str) -> set[int]:
    values = {value for term in text.lower().split(",") for value in _term(term, field, expression)}
    return {value % 7 for value in values} if field is _WEEKDAY else values


def _term(text: str, field: _Field, expression: str) -> range:
    parts = _TERM.fullmatch(text)
    if parts is not None:
        low, high, step = parts["low"], parts["high"], int(parts["step"] or 1)
        # Sunday, which has two numbers, ends a week here too: fri-sun.
        last_day = 7 if field is _WEEKDAY and high == "sun" and low != "sun" else _value(high, field)
        first = field.low if low is None else _value(low, field)
        last = _last(field) if low is None else first if high is None else last_day
        stepped = parts["step"] is None or low is None or high is not None
        if first is not None and last is not None and first <= last and 1 <= step <= field.high and stepped:
            return range(first, last + 1, step)
    raise UsageError(
        f"The cron expression {shown(expression)} makes no sense: {shown(text)} is no {field.name}.",
        hint=f"Allowed: *, or {field.span} as one value, a rising range (1-5), a list (1,3) or steps (*/2, 1-5/2).",
    )


def _last(field: _Field) -> int:
    return 6 if field is _WEEKDAY else field.high


def _value(text: str | None, field: _Field) -> int | None:
    if text is None:
        return None
    if text in field.names:
        return field.low + field.names.index(text)
    return int(text) if _NUMBER.fullmatch(text) and field.low <= int(text) <= field.high else None


def _zone(timezone: str) -> ZoneInfo:
    name = bounded(timezone, "The time zone", LONGEST_TIMEZONE)
    try:
        if _ZONE.fullmatch(name) and not _NO_ZONES.fullmatch(name):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise UsageError(
        f"There is no time zone {shown(name)}.",
        hint="Give a name of the IANA database, such as America/New_York or UTC.",
    )
