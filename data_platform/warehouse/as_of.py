"""Which version is meant: a number, a tag or pin, or a moment ("what we would have seen then")."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.version_sets import pins, snapshots

_DAY: Final = "%Y-%m-%d"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}($|[T ])", re.ASCII)
_MOST_DIGITS: Final = 7  # eight are a date without its dashes, which is no way to write one here


@dataclass(frozen=True, slots=True)
class AsOf:
    """Exactly one of the three is set. `moment` is UTC."""

    version: int | None = None
    tag: str | None = None
    moment: dt.datetime | None = None


def parse_as_of(text: str) -> AsOf:
    """Understand ``3``, ``2024-01-15``, ``2024-01-15T18:00:00-05:00`` or a tag. Pure.

    A date means the end of that day, a time without an offset is UTC. Tags begin with a letter, so that none can be
    mistaken for the others.

    Raises:
        UsageError: when it is none of them.
    """
    wanted = text.strip()
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= _MOST_DIGITS:
        return AsOf(version=int(wanted))
    if _DATE.match(wanted):
        return AsOf(moment=_moment(wanted))
    if not (wanted[:1].isascii() and wanted[:1].isalpha()):
        raise UsageError(
            f"{text!r} names no version.", hint="Give a version's number, a tag, or a date such as 2024-01-15."
        )
    return AsOf(tag=wanted)


def version_at(store: LocalStore, table: str, as_of: AsOf) -> int:
    """The number of the version that is meant; it may not exist when a number was given.

    Raises:
        UsageError: when the tag does not exist or does not name the table, or nothing was published by then.
        ChecksumMismatchError: when a manifest or tag that must be looked at is damaged.
    """
    if as_of.version is not None:
        return as_of.version
    if as_of.tag is not None:
        return _tagged(store, table, as_of.tag)
    moment = as_of.moment
    if moment is None:
        raise ValueError("an AsOf names a version, a tag or a moment")
    number = _last_published_by(Manifests(store, table), moment)
    if number == 0:
        raise UsageError(
            f"Nothing of {table} was published by {moment:%Y-%m-%d %H:%M} UTC.",
            hint=f"See: data-platform versions {table}",
        )
    return number


def _tagged(store: LocalStore, table: str, tag: str) -> int:
    """The version that a tag, or else a pin, names; one of other tables only is not told from one that is not there."""
    for sets in (snapshots(store), pins(store)):
        with suppress(UsageError, KeyError):
            return sets.get(tag).versions[table]
    raise UsageError(
        f"There is no snapshot or pin {tag} that names {table}.",
        hint="See: data-platform snapshot list, data-platform pin list",
    )


def _last_published_by(manifests: Manifests, moment: dt.datetime) -> int:
    """The highest version not newer than `moment`, by bisection: a version is never older than the one before it."""
    low, high = 0, manifests.latest_number()
    try:
        while low < high:
            middle = (low + high + 1) // 2
            if manifests.load(middle).sync_timestamp <= moment:
                low = middle
            else:
                high = middle - 1
    except (ChecksumMismatchError, UsageError):
        return _last_published_by_despite_damage(manifests, moment)
    return low


def _last_published_by_despite_damage(manifests: Manifests, moment: dt.datetime) -> int:
    """The same where some manifest cannot be read: an error only when that very one may be the answer."""
    lost: ChecksumMismatchError | UsageError | None = None
    for number in range(manifests.latest_number(), 0, -1):
        try:
            published = manifests.load(number).sync_timestamp
        except (ChecksumMismatchError, UsageError) as error:
            lost = error
            continue
        if published <= moment:
            if lost is not None:
                raise lost
            return number
        lost = None
    if lost is not None:
        raise lost
    return 0


def _moment(text: str) -> dt.datetime:
    try:
        if len(text) == len("2024-01-15"):
            return dt.datetime.combine(dt.datetime.strptime(text, _DAY), dt.time.max, dt.UTC)
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is neither a version nor a date.", hint="Dates are written 2024-01-15, times 2024-01-15T18:00."
        ) from None
