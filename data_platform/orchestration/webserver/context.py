"""The context of a request to the webserver, with the user who makes it.

Leans on internals of Dagster 1.13.27: `WorkspaceProcessContext.create_request_context` and the methods of
`WorkspaceRequestContext` that are overridden here. `data_platform_tests/orchestration/webserver` fails when they move.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.permissions import PermissionResult
from typing_extensions import override

from data_platform.governance.permissions import Role, User
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.webserver.verdicts import everywhere, has_any_of_an_owner, of_owner
from data_platform.records.connection import Records

USER_KEY: Final = "data_platform.user"
"""Where the gate leaves the user in the scope of a request."""

Launch = tuple[str, tuple[str, ...]]
"""A table's name and its partitions, as `launches.named` says them."""

NOBODY: Final = User("nobody", Role.VIEWER, disabled=True)


class GovernedRequestContext(WorkspaceRequestContext):
    """What a request sees and may do; `user` is who makes it."""

    def __init__(self, *, user: User, records: Records, **fields: Any) -> None:  # noqa: ANN401 - Dagster's own
        super().__init__(**fields)  # pyright: ignore[reportUnknownMemberType] - a generic of Dagster without its argument
        self.user = user
        self.records = records
        self._lent: frozenset[str] = frozenset()
        self._admitted: frozenset[Launch] = frozenset()
        self._stamping: dg.DagsterInstance | None = None

    @property
    def client_ip(self) -> str | None:
        """The address that the request came from; through the proxy, the one that the proxy names."""
        client = getattr(self.source, "client", None)
        return getattr(client, "host", None)

    @property
    @override
    def permissions(self) -> Mapping[str, PermissionResult]:
        known = everywhere(self.user)
        return {**known, **self._of_lent()} if self._lent else known

    @override
    def permissions_for_location(self, *, location_name: str) -> Mapping[str, PermissionResult]:
        return self.permissions

    @override
    def permissions_for_owner(self, *, owner: str) -> Mapping[str, PermissionResult]:
        return of_owner(self.user, owner)

    @override
    def viewer_has_any_owner_definition_permissions(self) -> bool:
        return has_any_of_an_owner(self.user)

    @override
    def get_viewer_tags(self) -> dict[str, str]:
        return {USER_TAG: self.user.user_id}

    @override
    def get_reporting_user_tags(self) -> dict[str, str]:
        return self.get_viewer_tags()

    @property
    @override
    def instance(self) -> dg.DagsterInstance:
        return self._stamping or super().instance

    @override
    def reload_code_location(self, name: str) -> GovernedRequestContext:
        self._process.reload_code_location(name)
        return self._process.create_request_context(self.source)

    @override
    def reload_workspace(self) -> GovernedRequestContext:
        self._process.reload_workspace()
        return self._process.create_request_context(self.source)

    @contextmanager
    def lending(self, permission: str) -> Generator[None]:
        """Hold a permission for the length of the block, which only does something to what is the user's to end."""
        self._lent |= {permission}
        try:
            yield
        finally:
            self._lent -= {permission}

    @contextmanager
    def admitting(self, *launches: Launch) -> Generator[None]:
        """Let these launches into the queue within the block: they met the rules of manual syncs a moment ago.

        A request's context lives in this process and is made anew for each request, so nothing that a caller sends can
        claim it.
        """
        self._admitted |= frozenset(launches)
        try:
            yield
        finally:
            self._admitted -= frozenset(launches)

    def has_admitted(self, launch: Launch) -> bool:
        """Whether a launch was let in already."""
        return launch in self._admitted

    @contextmanager
    def stamping_backfills(self) -> Generator[None]:
        """Have every backfill that is stored within the block carry this user's name.

        Dagster gives a backfill that is launched anew the tags of the earlier one, its user's name among them.
        """
        real = super().instance
        stamping: Any = copy.copy(real)

        def add(backfill: PartitionBackfill) -> None:
            real.add_backfill(self._stamped(backfill))

        def update(backfill: PartitionBackfill) -> None:
            real.update_backfill(self._stamped(backfill))

        stamping.add_backfill, stamping.update_backfill = add, update
        self._stamping = stamping
        try:
            yield
        finally:
            self._stamping = None

    @property
    def _process(self) -> GovernedProcessContext:
        return cast("GovernedProcessContext", self.process_context)  # pyright: ignore[reportUnknownMemberType] - as above

    def _stamped(self, backfill: PartitionBackfill) -> PartitionBackfill:
        return backfill._replace(tags={**backfill.tags, **self.get_viewer_tags()})

    def _of_lent(self) -> dict[str, PermissionResult]:
        return {name: PermissionResult(enabled=True, disabled_reason=None) for name in self._lent}


class GovernedProcessContext(WorkspaceProcessContext):
    """Dagster's workspace, seen by each request with its user's eyes."""

    def __init__(self, *, records: Records, **fields: Any) -> None:  # noqa: ANN401 - Dagster's own
        self._records = records
        super().__init__(**fields)

    @override
    def create_request_context(self, source: object | None = None) -> GovernedRequestContext:
        scope: Mapping[str, Any] = getattr(source, "scope", {})
        user = scope.get(USER_KEY, NOBODY)
        return GovernedRequestContext(
            # A request that did not pass the gate is nobody's.
            user=user if isinstance(user, User) else NOBODY,
            records=self._records,
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=self.read_only,
        )
