"""What a table's schedule asks for at a moment: pure decisions from the schedule, its newest run and the clock.

A tick has run once its run exists; until then its start is asked for again, under the same name, and whoever starts
runs starts one of a name once. Ticks that passed meanwhile, because nothing was there to see them or because the run
before them was still going, are made up for by one run, that of the latest. A failed run is tried again after pauses
that grow; a new tick takes the place of what is left of them, and so does a change of the schedule.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Final

from data_platform.records import cron
from data_platform.records.schedules import SyncSchedule

PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80))
"""Before each further try of a tick: a run of 2:00 that fails at once is tried for the last time at 4:35, well before
the data has to be there."""

FAILURES_OF_AN_ALERT: Final = len(PAUSES) + 1
"""So many failures in a row raise an alert, however many ticks they were spread over."""


class RunState(Enum):
    """Where a run stands: created but not handed over yet, under way, ended well, ended by a person, failed."""

    CREATED = "created"
    ACTIVE = "active"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Hopeless(Enum):
    """Why trying a failed run again helps nothing by itself, and what people are told of it at once."""

    UNFIT = "its data is not fit"
    REFUSED = "the source refused its user and password"


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run that a schedule asked for: the `attempt` for its tick, from 1, after `failures` in a row before it.

    `hopeless` says of a failed one why it is not tried again before the next tick.
    """

    run_id: str
    tick: dt.datetime
    attempt: int
    failures: int
    state: RunState
    ended_at: dt.datetime
    hopeless: Hopeless | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Start the run of a tick; the same answer twice means the same run."""

    tick: dt.datetime
    attempt: int
    failures: int

    def key(self, table: str) -> str:
        """The run's name, by which it is started once."""
        again = f":retry-{self.attempt - 1}" if self.attempt > 1 else ""
        return f"{table}:{self.tick.astimezone(dt.UTC).isoformat()}{again}"


class Cause(Enum):
    """Why nothing is to be done."""

    OFF = "is off"
    RUNNING = "is being synced"
    RETRY = "is tried again"
    NEXT = "is due"


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing, before `until` where that is known."""

    cause: Cause
    until: dt.datetime | None = None


def decide(schedule: SyncSchedule, last: ScheduledRun | None, now: dt.datetime) -> Start | Wait:
    """Decide what a schedule asks for at `now`, given the newest run that it has asked for before.

    Raises:
        ValueError: when `now` has no time zone.
    """
    if not schedule.enabled:
        return Wait(Cause.OFF)
    if last is not None and last.state is RunState.CREATED:
        return Start(last.tick, last.attempt, last.failures)
    if last is not None and last.state is RunState.ACTIVE:
        return Wait(Cause.RUNNING)
    tick = due_tick(schedule, last, now)
    failures = failures_in_a_row(schedule, last)
    if tick is not None:
        return Start(tick, 1, failures)
    if last is not None and failures and last.hopeless is None and last.attempt <= len(PAUSES):
        again = last.ended_at + PAUSES[last.attempt - 1]
        if again <= now:
            return Start(last.tick, last.attempt + 1, failures)
        if schedule.next_scheduled_run is None or again < schedule.next_scheduled_run:
            return Wait(Cause.RETRY, again)
    return Wait(Cause.NEXT, schedule.next_scheduled_run)


def due_tick(schedule: SyncSchedule, last: ScheduledRun | None, now: dt.datetime) -> dt.datetime | None:
    """The latest tick that has passed and has no run yet; None when there is none.

    Raises:
        ValueError: when `now` has no time zone.
    """
    cron.check_aware(now)
    upcoming = schedule.next_scheduled_run
    if not schedule.enabled or upcoming is None or upcoming > now:
        return None
    tick = cron.latest_tick(schedule.cron_expression, schedule.timezone, upcoming, now)
    return tick if last is None or tick > last.tick else None


def tick_to_note(schedule: SyncSchedule, last: ScheduledRun | None, now: dt.datetime) -> dt.datetime | None:
    """The tick that has its run and is not noted in the schedule yet; None while a later one still waits for its run.

    Noting a tick plans the next one after now, which would pass over the later one.
    """
    noted = schedule.last_scheduled_run
    if last is None or (noted is not None and last.tick <= noted) or due_tick(schedule, last, now) is not None:
        return None
    return last.tick


def failures_in_a_row(schedule: SyncSchedule, last: ScheduledRun | None) -> int:
    """How many runs have failed one after the other, up to the newest; a change of the schedule begins anew."""
    if last is None or last.state is not RunState.FAILED or last.ended_at < schedule.updated_at:
        return 0
    return last.failures + 1


def raises_alert(schedule: SyncSchedule, last: ScheduledRun | None) -> bool:
    """Whether the newest run's failure is one that people are told of: each sixth in a row, and any hopeless one."""
    failures = failures_in_a_row(schedule, last)
    return failures > 0 and ((last is not None and last.hopeless is not None) or failures % FAILURES_OF_AN_ALERT == 0)
