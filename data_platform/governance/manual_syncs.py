"""What a sync that a person starts must meet: permission, a reason, nobody syncing that already, a place in the limit.

The rules are the same wherever it is started; what is syncing already, the caller knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from data_platform.catalog import Table
from data_platform.errors import LockBusyError, NotPermittedError, PlatformError, UsageError
from data_platform.governance.permissions import Action, User, require
from data_platform.metrics.counting import sync_triggered
from data_platform.records import platform_audit, texts
from data_platform.records.connection import Records
from data_platform.records.rate_limits import MANUAL_SYNCS, refusal, take
from data_platform.records.scope import Scope

_SCOPE = Scope.system("manual_syncs")


@dataclass(frozen=True, slots=True)
class ManualSync:
    """What somebody wants to sync, and why; `subject` names the run or the backfill, as the audit shall have it."""

    tables: tuple[Table, ...]
    partitions: tuple[str, ...]
    reason: str
    subject: str
    client_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Syncing:
    """What is at it already: `by` names the run or the backfill."""

    table: str
    by: str


def permit(user: User, wanted: ManualSync) -> None:
    """Let those pass who may sync every table that is wanted.

    Raises:
        NotPermittedError: naming the permission that is missing.
    """
    if not wanted.tables:
        require(user, Action.TRIGGER_DATA_SYNC)
    for table in wanted.tables:
        require(user, Action.TRIGGER_DATA_SYNC, table.dataset)


def admit(
    records: Records,
    user: User,
    wanted: ManualSync,
    *,
    syncing: Callable[[], Syncing | None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Let a sync begin, and record who began it and why; or refuse it, and record that.

    A refusal takes no place of the limit, which all users share. `syncing` is asked while nobody else can be admitted.
    `check` is asked of those who may sync, and raises what is wrong with what they want.

    Raises:
        NotPermittedError: as `permit` does.
        UsageError: when there is no reason, or the records can't keep it; and what `check` raises.
        RateLimitedError: when another manual sync began within the last minute.
        LockBusyError: when a run syncs some of it already; it is named.
        DatabaseUnavailableError: when the records are away.
    """
    try:
        permit(user, wanted)
        if not texts.reason(wanted.reason):
            raise UsageError(
                "A sync that a person starts needs a reason.",
                hint="In Dagster's UI press Materialize with Shift, and give `reason` in the configuration or the tag "
                "data_platform/reason; at the terminal, --reason.",
            )
        check()
        with records.transaction(_SCOPE) as connection:
            place = take(connection, MANUAL_SYNCS, user.user_id)
            if place.wait_seconds is not None:
                raise refusal(MANUAL_SYNCS, place.wait_seconds)
            busy = syncing()
            if busy is not None:
                raise _already(busy)
            for table in wanted.tables:
                platform_audit.append(
                    connection,
                    user.user_id,
                    "sync.launch",
                    dataset=table.dataset,
                    subject=table.name,
                    new_value={"as": wanted.subject, "partitions": list(wanted.partitions)},
                    reason=wanted.reason,
                    client_ip=wanted.client_ip,
                )
    except PlatformError as error:
        note_refusal(records, user, wanted, error)
        raise
    for dataset in sorted({table.dataset for table in wanted.tables}):
        sync_triggered(dataset, user.user_id)


def note_refusal(records: Records, user: User, wanted: ManualSync, error: PlatformError) -> None:
    """Record that a sync was refused, and with which error.

    Raises:
        DatabaseUnavailableError: when the records are away.
    """
    for table in wanted.tables:
        platform_audit.note(
            records,
            user.user_id,
            "sync.refused",
            dataset=table.dataset,
            subject=table.name,
            new_value={
                "as": wanted.subject,
                "error": type(error).__name__,
                # What is missing is a permission's name; other messages may be long.
                **({"message": error.message} if isinstance(error, NotPermittedError) else {}),
            },
            client_ip=wanted.client_ip,
        )


def _already(busy: Syncing) -> LockBusyError:
    return LockBusyError(f"{busy.table} is syncing already, in {busy.by}.", hint="Wait until that has ended.")
