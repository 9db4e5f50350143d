"""What a role may do, and the one pure decision from a user, an action and a dataset to yes or no.

An action needs its permission, and when it names a dataset, that dataset's permission too. For each permission a
revocation beats a grant, and a grant beats what the role gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from data_platform.errors import NotPermittedError
from data_platform.metrics.counting import access_denied
from data_platform.records.scope import PLATFORM


class Role(StrEnum):
    """Each role holds everything that the one before it holds."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    OPERATOR = "operator"
    ADMIN = "admin"


class Action(StrEnum):
    """What can be asked for; the value is the permission it needs."""

    VIEW_DATA_SYNC = "view:data_sync"
    TRIGGER_DATA_SYNC = "trigger:data_sync"
    MANAGE_SYNC_SCHEDULE = "manage:sync_schedule"
    QUERY_DATA = "query:data"
    EXPORT_DATA = "export:data"
    VIEW_DATA_QUALITY = "view:data_quality"
    ACKNOWLEDGE_ALERTS = "acknowledge:alerts"


LICENSED_DATASETS: Final = ("crsp", "compustat", "taq", "fama_french", "yahoo")
"""The licence families that permissions speak of, whether or not the catalog holds tables of them yet."""


def dataset_permission(dataset: str) -> str:
    """The permission that opens a dataset."""
    return f"dataset:{dataset}"


PERMISSIONS: Final = frozenset(Action) | frozenset(map(dataset_permission, LICENSED_DATASETS))

_VIEWER: Final = frozenset({Action.VIEW_DATA_SYNC, Action.VIEW_DATA_QUALITY, dataset_permission("fama_french")})
_ANALYST: Final = _VIEWER | {Action.QUERY_DATA, Action.ACKNOWLEDGE_ALERTS, dataset_permission("crsp")}
_OPERATOR: Final = _ANALYST | {
    Action.TRIGGER_DATA_SYNC,
    Action.EXPORT_DATA,
    Action.MANAGE_SYNC_SCHEDULE,
    dataset_permission("compustat"),
}

ROLE_PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.VIEWER: _VIEWER,
    Role.ANALYST: _ANALYST,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: PERMISSIONS,
}

_DOING: Final[dict[Action, str]] = {
    Action.VIEW_DATA_SYNC: "Viewing syncs",
    Action.TRIGGER_DATA_SYNC: "Starting a sync",
    Action.MANAGE_SYNC_SCHEDULE: "Changing a sync schedule",
    Action.QUERY_DATA: "Querying",
    Action.EXPORT_DATA: "Exporting",
    Action.VIEW_DATA_QUALITY: "Viewing data quality",
    Action.ACKNOWLEDGE_ALERTS: "Acknowledging alerts",
}


@dataclass(frozen=True, slots=True)
class User:
    """Someone who asks: their role, and what was granted to or revoked from them beyond it."""

    user_id: str
    role: Role
    grants: frozenset[str] = frozenset()
    revocations: frozenset[str] = frozenset()
    disabled: bool = False

    def holds(self, permission: str) -> bool:
        """Whether the user has a permission; a disabled user has none."""
        if self.disabled or permission in self.revocations:
            return False
        return permission in self.grants or permission in ROLE_PERMISSIONS[self.role]


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, or refused for a `reason` that names the missing permission."""

    allowed: bool
    reason: str | None = None


def decide(user: User, action: Action, dataset: str | None = None) -> Decision:
    """Decide whether `user` may do `action`, on `dataset` when one is named."""
    if user.disabled:
        return Decision(allowed=False, reason=f"User {user.user_id} is disabled.")
    needed = [action.value] if dataset is None else [dataset_permission(dataset), action.value]
    missing = [permission for permission in needed if not user.holds(permission)]
    if missing:
        what = _DOING[action] if dataset is None else f"Access to {dataset}"
        return Decision(allowed=False, reason=f"{what} requires {' and '.join(missing)}")
    return Decision(allowed=True)


def require(user: User, action: Action, dataset: str | None = None) -> None:
    """Let an allowed request pass.

    Raises:
        NotPermittedError: with the reason of the decision.
    """
    decision = decide(user, action, dataset)
    if not decision.allowed:
        if dataset is not None:
            access_denied(user.user_id, dataset)
        raise NotPermittedError(
            decision.reason or "Not permitted.", hint="Ask an administrator to grant it, if you should have it."
        )


def permitted_datasets(user: User, known: Iterable[str]) -> frozenset[str]:
    """Those of the `known` datasets whose permission the user has."""
    return frozenset(name for name in known if user.holds(dataset_permission(name)))


def is_administrator(user: User) -> bool:
    """Whether the user has the role that may do everything."""
    return not user.disabled and user.role is Role.ADMIN


def require_administrator(user: User) -> None:
    """Let only administrators pass: accounts, grants, tokens and the database's tables are theirs.

    Raises:
        NotPermittedError: for everyone else.
    """
    if not is_administrator(user):
        raise NotPermittedError(f"This requires the role {Role.ADMIN}.", hint="Ask an administrator to do it.")


def require_alerts_of(user: User, dataset: str | None) -> None:
    """Let whoever may view the alerts of a dataset pass; those of the platform itself are for administrators.

    Raises:
        NotPermittedError: for everyone else.
    """
    if dataset == PLATFORM:
        require_administrator(user)
    require(user, Action.VIEW_DATA_QUALITY, None if dataset == PLATFORM else dataset)


def decide_removal(administrators: frozenset[str], user_id: str) -> Decision:
    """Decide whether an account may cease to be an administrator: one of them always stays."""
    if administrators == frozenset({user_id}):
        return Decision(allowed=False, reason=f"{user_id} is the last administrator.")
    return Decision(allowed=True)
