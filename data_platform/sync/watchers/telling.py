"""Telling: a condition becomes one alert when it begins, and that alert is acknowledged when the condition is over.

What was told is remembered between two looks as `Held`, so that an alert which a person has acknowledged meanwhile is
not raised again for as long as its condition lasts; whatever was lost of it, an alert that is still open says the same.
An alert stays open for a quarter of an hour at least: a figure that wavers about its mark tells of it that often.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from data_platform.records import acknowledgments, alerts
from data_platform.records.alerts import StoredAlert
from data_platform.records.connection import Records
from data_platform.sync.watchers.looking import SCOPE, Sighting
from data_platform.sync.watchers.watch import Metric, Watch, key_of, metric_of

STAYS_OPEN: Final = dt.timedelta(minutes=15)
OVER: Final = "over"
"""The reason of an acknowledgment that no person gave."""


@dataclass(frozen=True, slots=True)
class Held:
    """Since when a condition has been found at every look, and whether it was told."""

    since: dt.datetime
    told: bool


Memory = Mapping[str, Held]
"""The conditions of the last look, by key."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be told, which alerts are over, and what to remember."""

    told: tuple[Watch, ...]
    over: tuple[StoredAlert, ...]
    memory: Memory


def plan(sighting: Sighting, opened: Sequence[StoredAlert], memory: Memory, now: dt.datetime) -> Plan:
    """Decide what is new, what is over and what stays as it is. Pure.

    Args:
        sighting: What was found now.
        opened: The watchers' alerts that nobody has acknowledged.
        memory: What the last look left.
        now: The moment of the look, UTC.
    """
    known = {key_of(alert) for alert in opened}
    told: list[Watch] = []
    kept: dict[str, Held] = {}
    for watch in sighting.found:
        key = key_of(watch.alert)
        if key in kept:
            continue
        before = memory.get(key)
        since = now if before is None else before.since
        is_told = key in known or (before is not None and before.told)
        if not is_told and now - since >= watch.patience:
            told.append(watch)
            is_told = True
        kept[key] = Held(since, is_told)
    kept |= {key: held for key, held in memory.items() if key not in kept and metric_of(key) in sighting.unseen}
    over = [
        alert
        for alert in opened
        if key_of(alert) not in kept and alert.metric not in sighting.unseen and now - alert.created_at >= STAYS_OPEN
    ]
    return Plan(tuple(told), tuple(over), kept)


def tell(records: Records, sighting: Sighting, memory: Memory, now: dt.datetime) -> Plan:
    """Raise and clear the alerts that a sighting calls for, and return what was done.

    Raises:
        DatabaseUnavailableError: when the records are away; what was done until then stays, and nothing comes twice.
    """
    with records.transaction(SCOPE) as connection:
        # Two that look at the same time would both find that nothing was told.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('data-platform watchers', 0))")
        decided = plan(sighting, alerts.open_of(connection, sighting.metrics), memory, now)
        alerts.store(connection, [watch.alert for watch in decided.told])
    for alert in decided.over:
        with records.transaction(SCOPE) as connection:
            acknowledgments.acknowledge(connection, alert.id, SCOPE.user, OVER)
    return decided


def written(memory: Memory) -> str:
    """The memory as text."""
    return json.dumps({key: [held.since.isoformat(), held.told] for key, held in sorted(memory.items())})


def read(text: str | None) -> Memory:
    """The memory that was written; empty for what can't be read, and then open alerts stand in for it."""
    try:
        stored: dict[str, tuple[str, bool]] = json.loads(text or "{}")
        return {key: Held(dt.datetime.fromisoformat(since), bool(told)) for key, (since, told) in stored.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def in_words(found: Iterable[Watch], unseen: Iterable[Metric]) -> str:
    """What is wrong now, in one line."""
    wrong = sorted({f"{watch.metric} ({watch.table_name})" for watch in found})
    blind = f" Could not look at: {', '.join(sorted(unseen))}." if unseen else ""
    return (f"Wrong now: {', '.join(wrong)}." if wrong else "Nothing is wrong now.") + blind
