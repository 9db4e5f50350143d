"""A housekeeping job: one operation that calls one chore, shows its figures, and fails with one clear error."""

# No postponed annotations here: Dagster reads them as objects.

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.storage.tags import SCHEDULE_NAME_TAG
from pydantic import Field

from data_platform.errors import PlatformError
from data_platform.governance.identity import local_administrator, user_named
from data_platform.governance.permissions import Role, User, require_administrator
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.housekeeping.timetable import TIMEZONE, Chore
from data_platform.orchestration.resource import Platform, PlatformResource
from data_platform.records.scope import SYSTEM

Figures = Mapping[str, Any]
"""What a run shows: names of figures with numbers, texts, or JSON documents of these."""


def op_name(chore: Chore) -> str:
    """The name of a chore's one operation, under which a launch configures it."""
    return f"run_{chore.name}"


class HousekeepingConfig(dg.Config):
    """What a launch may choose."""

    dry_run: bool = Field(default=False, description="Only say what would be done; nothing is written or removed.")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a chore works with; `user` is who answers for it in the audit."""

    platform: Platform
    user: User
    instance: dg.DagsterInstance
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a chore did or would do: a sentence, and figures that are counts, bytes, times or names, never rows.

    `problem` fails the run after the figures were kept: part of the work was done, or what was looked at is not well.
    """

    said: str
    figures: Figures = field(default_factory=dict[str, Any])
    problem: PlatformError | None = None


Work = Callable[[Surroundings], Outcome]


def housekeeping_job(chore: Chore, work: Work) -> dg.JobDefinition:
    """The job of a chore."""

    @dg.op(name=op_name(chore), description=chore.about)
    def run(
        context: dg.OpExecutionContext, config: HousekeepingConfig, platform: dg.ResourceParam[PlatformResource]
    ) -> dg.Output[None]:
        try:
            with platform.open() as opened:
                user = answering_user(opened, context.run.tags)
                require_administrator(user)
                outcome = work(Surroundings(opened, user, context.instance, config.dry_run))
        except PlatformError as error:
            platform.report(error)
            raise _failure(error, {}) from None
        metadata: Figures = {"dry_run": config.dry_run, "outcome": outcome.said, **outcome.figures}
        if outcome.problem is not None:
            platform.report(outcome.problem)
            raise _failure(outcome.problem, metadata)
        context.log.info(outcome.said)
        return dg.Output(None, metadata=metadata)

    @dg.job(  # pyright: ignore[reportUnknownMemberType] - an overload of Dagster with partly unknown metadata types
        name=chore.name, description=chore.about, tags={"data_platform/kind": "housekeeping"}
    )
    def job() -> None:
        run()

    return job


def housekeeping_schedule(chore: Chore, job: dg.JobDefinition, *, on: bool) -> dg.ScheduleDefinition:
    """The schedule of a chore; `on` says whether it runs until somebody turns it off, or waits to be turned on."""
    return dg.ScheduleDefinition(
        name=chore.schedule_name,
        job=job,
        cron_schedule=chore.cron,
        execution_timezone=TIMEZONE,
        description=chore.about,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
    )


def is_dry(run: dg.DagsterRun, chore: Chore) -> bool:
    """Whether a run of a chore was only to say what would be done."""
    run_config: Mapping[str, Any] = run.run_config
    config: Mapping[str, Any] = run_config.get("ops", {}).get(op_name(chore), {}).get("config", {})
    return bool(config.get("dry_run"))


def answering_user(platform: Platform, tags: Mapping[str, str]) -> User:
    """Who answers for a run: whoever is stamped on it, the schedule that started it, or the local administrator.

    A stamped person is looked up as they are now, and what the chore calls refuses those who are no administrators.

    Raises:
        NotPermittedError: when there is no such account.
    """
    stamped = tags.get(USER_TAG)
    if stamped is None and SCHEDULE_NAME_TAG in tags:
        stamped = f"{SYSTEM}{tags[SCHEDULE_NAME_TAG]}"
    if stamped is None:
        return local_administrator()
    if stamped.startswith(SYSTEM):
        return User(stamped, Role.ADMIN)
    return user_named(platform.settings, platform.records, stamped)


def _failure(error: PlatformError, figures: Figures) -> dg.Failure:
    return dg.Failure(
        str(error),
        metadata={"error": type(error).__name__, "exit_code": error.exit_code, **figures},
        allow_retries=False,
    )
