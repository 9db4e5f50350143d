"""The permission table: roles, grants, revocations, and the reasons that are given."""

from __future__ import annotations

import pytest

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import (
    PERMISSIONS,
    ROLE_PERMISSIONS,
    Action,
    Role,
    User,
    decide,
    permitted_datasets,
    require,
)

VIEWER, ANALYST, OPERATOR, ADMIN = Role.VIEWER, Role.ANALYST, Role.OPERATOR, Role.ADMIN


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        (VIEWER, "view:data_sync view:data_quality dataset:fama_french"),
        (
            ANALYST,
            "view:data_sync view:data_quality dataset:fama_french query:data acknowledge:alerts dataset:crsp",
        ),
        (
            OPERATOR,
            "view:data_sync view:data_quality dataset:fama_french query:data acknowledge:alerts dataset:crsp "
            "trigger:data_sync export:data manage:sync_schedule dataset:compustat",
        ),
        (
            ADMIN,
            "view:data_sync view:data_quality dataset:fama_french query:data acknowledge:alerts dataset:crsp "
            "trigger:data_sync export:data manage:sync_schedule dataset:compustat dataset:taq dataset:yahoo",
        ),
    ],
)
def test_a_role_holds_exactly(role: Role, permissions: str) -> None:
    assert ROLE_PERMISSIONS[role] == frozenset(permissions.split())
    assert {p for p in PERMISSIONS if User("u", role).holds(p)} == frozenset(permissions.split())


@pytest.mark.parametrize(
    ("role", "grants", "revocations", "action", "dataset", "reason"),
    [
        (VIEWER, "", "", Action.VIEW_DATA_SYNC, None, None),
        (VIEWER, "", "", Action.VIEW_DATA_QUALITY, "fama_french", None),
        (VIEWER, "", "", Action.QUERY_DATA, "fama_french", "Access to fama_french requires query:data"),
        (VIEWER, "", "", Action.QUERY_DATA, "crsp", "Access to crsp requires dataset:crsp and query:data"),
        (VIEWER, "", "", Action.QUERY_DATA, None, "Querying requires query:data"),
        (VIEWER, "query:data", "", Action.QUERY_DATA, "fama_french", None),
        (VIEWER, "query:data", "", Action.QUERY_DATA, "crsp", "Access to crsp requires dataset:crsp"),
        (VIEWER, "query:data dataset:crsp", "", Action.QUERY_DATA, "crsp", None),
        (ANALYST, "", "", Action.QUERY_DATA, "crsp", None),
        (ANALYST, "", "", Action.QUERY_DATA, "compustat", "Access to compustat requires dataset:compustat"),
        (ANALYST, "", "dataset:crsp", Action.QUERY_DATA, "crsp", "Access to crsp requires dataset:crsp"),
        (ANALYST, "", "query:data", Action.QUERY_DATA, "crsp", "Access to crsp requires query:data"),
        (ANALYST, "dataset:taq", "dataset:taq", Action.QUERY_DATA, "taq", "Access to taq requires dataset:taq"),
        (ANALYST, "", "", Action.TRIGGER_DATA_SYNC, "crsp", "Access to crsp requires trigger:data_sync"),
        (OPERATOR, "", "", Action.TRIGGER_DATA_SYNC, "compustat", None),
        (OPERATOR, "", "", Action.EXPORT_DATA, "taq", "Access to taq requires dataset:taq"),
        (ADMIN, "", "", Action.EXPORT_DATA, "taq", None),
        (ADMIN, "", "dataset:taq", Action.EXPORT_DATA, "taq", "Access to taq requires dataset:taq"),
        (ADMIN, "", "", Action.QUERY_DATA, "research", "Access to research requires dataset:research"),
    ],
)
def test_decisions(
    role: Role, grants: str, revocations: str, action: Action, dataset: str | None, reason: str | None
) -> None:
    user = User("u", role, frozenset(grants.split()), frozenset(revocations.split()))
    decision = decide(user, action, dataset)
    assert (decision.allowed, decision.reason) == (reason is None, reason)
    if reason is None:
        require(user, action, dataset)
    else:
        with pytest.raises(NotPermittedError, match=reason):
            require(user, action, dataset)


@pytest.mark.parametrize("action", list(Action))
def test_a_disabled_user_may_do_nothing(action: Action) -> None:
    user = User("eve", ADMIN, grants=PERMISSIONS, disabled=True)
    assert decide(user, action).reason == "User eve is disabled."
    assert permitted_datasets(user, ["crsp", "fama_french"]) == frozenset()


def test_datasets_are_filtered_by_permission() -> None:
    known = ["crsp", "fama_french", "taq"]
    assert permitted_datasets(User("u", VIEWER), known) == {"fama_french"}
    assert permitted_datasets(User("u", ANALYST, grants=frozenset({"dataset:taq"})), known) == set(known)
    assert permitted_datasets(User("u", ADMIN, revocations=frozenset({"dataset:crsp"})), known) == {
        "fama_french",
        "taq",
    }
