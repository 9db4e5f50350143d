"""Dagster's permissions in terms of ours: what a user may do there, with the reason that a disabled button gives.

A page asks the same for each of its assets, so answers are remembered. They follow from the user as the request found
them in the records, grants and revocations included; whoever has lost something is another user here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from dagster._core.workspace.permissions import PermissionResult, Permissions, get_user_permissions

from data_platform.catalog import DATASETS
from data_platform.governance.permissions import Action, Decision, User, decide, is_administrator

_TEAM: Final = "team:"
_REMEMBERED: Final = 1_024

NEEDS: Final[Mapping[str, Action]] = {
    Permissions.LAUNCH_PIPELINE_EXECUTION: Action.TRIGGER_DATA_SYNC,
    Permissions.LAUNCH_PIPELINE_REEXECUTION: Action.TRIGGER_DATA_SYNC,
    Permissions.LAUNCH_PARTITION_BACKFILL: Action.TRIGGER_DATA_SYNC,
    Permissions.START_SCHEDULE: Action.MANAGE_SYNC_SCHEDULE,
    Permissions.STOP_RUNNING_SCHEDULE: Action.MANAGE_SYNC_SCHEDULE,
    Permissions.SCHEDULE_DRY_RUN: Action.MANAGE_SYNC_SCHEDULE,
    Permissions.EDIT_SENSOR: Action.MANAGE_SYNC_SCHEDULE,
    Permissions.SENSOR_DRY_RUN: Action.MANAGE_SYNC_SCHEDULE,
    Permissions.UPDATE_SENSOR_CURSOR: Action.MANAGE_SYNC_SCHEDULE,
}
"""What others than administrators may do, where they also hold the dataset. All the rest is for administrators."""

ADMINISTRATORS_ONLY: Final = "This requires the role admin."

_OFFERED: Final = {name: result.enabled for name, result in get_user_permissions(read_only=False).items()}
"""What Dagster offers to anybody at all: some of its permissions are for its hosted product."""


@lru_cache(_REMEMBERED)
def everywhere(user: User) -> Mapping[str, PermissionResult]:
    """What a user may do in every part of the deployment, whoever owns it: an administrator, with every dataset."""
    return MappingProxyType(
        {name: _result(_everywhere(user, name, DATASETS), offered=offered) for name, offered in _OFFERED.items()}
    )


@lru_cache(_REMEMBERED)
def of_owner(user: User, owner: str) -> Mapping[str, PermissionResult]:
    """What a user may do with that which an owner, such as ``team:crsp``, owns."""
    dataset = owner.removeprefix(_TEAM)
    if not owner.startswith(_TEAM) or dataset not in DATASETS:
        return MappingProxyType(
            {name: _result(_for_administrators(user), offered=offered) for name, offered in _OFFERED.items()}
        )
    return MappingProxyType(
        {
            name: _result(
                decide(user, NEEDS[name], dataset) if name in NEEDS else _for_administrators(user),
                offered=offered,
            )
            for name, offered in _OFFERED.items()
        }
    )


@lru_cache(_REMEMBERED)
def has_any_of_an_owner(user: User) -> bool:
    """Whether a user may do anything with what some dataset's team owns."""
    return any(decide(user, action, dataset).allowed for action in set(NEEDS.values()) for dataset in DATASETS)


def decide_reading(user: User, visibility: str, datasets: Iterable[str] = tuple(DATASETS)) -> Decision:
    """Whether a user may open Dagster's pages, which show counts and timings of every dataset."""
    reading = decide(user, Action.VIEW_DATA_SYNC)
    if not reading.allowed or visibility != "strict":
        return reading
    refused = (decide(user, Action.VIEW_DATA_SYNC, dataset) for dataset in datasets)
    return next((decision for decision in refused if not decision.allowed), reading)


def _everywhere(user: User, name: str, datasets: Iterable[str]) -> Decision:
    if name not in NEEDS:
        return _for_administrators(user)
    for dataset in (None, *datasets):
        decision = decide(user, NEEDS[name], dataset)
        if not decision.allowed:
            return decision
    return _for_administrators(user)


def _for_administrators(user: User) -> Decision:
    if is_administrator(user):
        return Decision(allowed=True)
    return Decision(allowed=False, reason=ADMINISTRATORS_ONLY)


def _result(decision: Decision, *, offered: bool) -> PermissionResult:
    if not offered:
        return PermissionResult(enabled=False, disabled_reason="Dagster offers this in its hosted product only.")
    return PermissionResult(enabled=decision.allowed, disabled_reason=decision.reason)
