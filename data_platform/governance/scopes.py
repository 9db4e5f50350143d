"""In whose name a transaction of the records runs, and what it may see: from a user's permissions to a scope."""

from __future__ import annotations

from data_platform.governance.permissions import LICENSED_DATASETS, User, permitted_datasets, require_administrator
from data_platform.records.scope import Scope


def reading_scope(user: User) -> Scope:
    """What a user sees: their own records, and those of the datasets that they have the permission of."""
    return Scope(user.user_id, permitted_datasets(user, LICENSED_DATASETS))


def administration_scope(user: User) -> Scope:
    """Everything, for administrators: accounts, and what belongs to no dataset.

    Raises:
        NotPermittedError: for everyone else.
    """
    require_administrator(user)
    return Scope(user.user_id, None)
