"""The audit row of a sync that a person started: who, what, why, whatever they started it with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from data_platform.catalog import Table
from data_platform.governance.identity import local_administrator
from data_platform.orchestration.resource import Platform
from data_platform.records import platform_audit
from data_platform.records.scope import SYSTEM

USER_TAG: Final = "data_platform/user"
REASON_TAG: Final = "data_platform/reason"
"""For the launches of Dagster's UI that ask for no configuration, such as a backfill's."""


def audit_manual_sync(
    platform: Platform, table: Table, partitions: list[str], *, tags: Mapping[str, str], full: bool, reason: str
) -> None:
    """Record the launch before anything is done; a sync that cannot be recorded does not run.

    The user is the one whom the command or the run coordinator stamped on the run. What the platform started by itself,
    on a schedule, is no action of a person, and stands in the sync log alone.

    Raises:
        DatabaseUnavailableError: when the records are away.
    """
    user = tags.get(USER_TAG) or local_administrator().user_id
    if user.startswith(SYSTEM):
        return
    platform_audit.note(
        platform.records,
        user,
        "manual_sync",
        dataset=table.dataset,
        subject=table.name,
        new_value={"partitions": partitions, "full": full},
        reason=reason or tags.get(REASON_TAG, ""),
    )
