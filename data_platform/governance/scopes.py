"""In whose name a transaction of the records runs, and what it may see: from a user's permissions to a scope."""

from __future__ import annotations

from data_platform.governance.permissions import (
    LICENSED_DATASETS,
    User,
    is_administrator,
    permitted_datasets,
    require_administrator,
)
from data_platform.records.scope import PLATFORM, Scope


def reading_scope(user: User) -> Scope:
    """What a user sees: their own records, and those of the datasets that they have the permission of.

    Administrators also see what concerns the platform itself.
    """
    of_platform = frozenset({PLATFORM}) if is_administrator(user) else frozenset[str]()
    return Scope(user.user_id, permitted_datasets(user, LICENSED_DATASETS) | of_platform)


def administration_scope(user: User) -> Scope:
    """Everything, for administrators: accounts, and what belongs to no dataset.

    Raises:
        NotPermittedError: for everyone else.
    """
    require_administrator(user)
    return Scope(user.user_id, None)
