"""The services behind the routes, and the threads that they run in: some for what is quick, others for queries.

No number of queries keeps a question of a second from being answered, and neither keeps the webserver's own threads
busy. Whoever comes when too many wait already is told so at once.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Protocol, TypeVar, cast

from fastapi import Depends, Request

from data_platform.errors import PlatformError
from data_platform.governance.explorer import DataExplorerService
from data_platform.governance.permissions import User
from data_platform.governance.quality import DataQualityService
from data_platform.governance.sync_service import DataSyncService, SyncLauncher
from data_platform.orchestration.webserver.context import NOBODY, USER_KEY
from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse.warehouse import Warehouse

Answer = TypeVar("Answer")

QUICK_THREADS: Final = 8
QUERY_THREADS: Final = 32
"""The engine lets fewer run at a time; the others wait their turn there, fairly by user."""

MOST_WAITING: Final = 400


class BusyError(PlatformError):
    """Too many requests wait already."""


class Workers:
    """Threads with a bounded queue."""

    def __init__(self, name: str, threads: int, most: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = most
        self._present = 0

    async def run(self, call: Callable[[], Answer]) -> Answer:
        """Call it in a thread; when the client leaves, it is still called to its end.

        Raises:
            BusyError: when too many wait.
        """
        return await asyncio.shield(self.start(call))

    def start(self, call: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """The same without waiting for it.

        Raises:
            BusyError: when too many wait.
        """
        if self._present >= self._most:
            raise BusyError("Too many requests wait already.", hint="Try again in a few seconds.")
        self._present += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        future.add_done_callback(self._left)
        return future

    def _left(self, future: asyncio.Future[Any]) -> None:
        self._present -= 1
        if not future.cancelled():
            future.exception()  # Whoever waited has it; nobody else is told.


class LauncherOf(Protocol):
    """Makes what starts the syncs that a request orders."""

    def __call__(self, request: Request) -> SyncLauncher:
        """The launcher in the name of the request's user."""
        ...


@dataclass
class Desk:
    """Everything that the routes ask."""

    settings: Settings
    records: Records
    warehouse: Warehouse
    launcher_of: LauncherOf
    quick: Workers = field(default_factory=lambda: Workers("api-quick", QUICK_THREADS))
    querying: Workers = field(default_factory=lambda: Workers("api-query", QUERY_THREADS))

    @functools.cached_property
    def explorer(self) -> DataExplorerService:
        """The service over licensed rows; its engine is the process's."""
        return DataExplorerService(self.records, self.warehouse, self.settings)

    @functools.cached_property
    def quality(self) -> DataQualityService:
        """The service of quality."""
        return DataQualityService(self.records, self.warehouse)

    @functools.cached_property
    def syncs(self) -> DataSyncService:
        """The service of syncs."""
        return DataSyncService(self.records, self.warehouse, self.settings)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and from where."""

    user: User
    client_ip: str | None


def _caller(request: Request) -> Caller:
    user = request.scope.get(USER_KEY)
    # A request that did not pass the gate is nobody's.
    return Caller(user if isinstance(user, User) else NOBODY, request.client.host if request.client else None)


def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


CallerOf = Annotated[Caller, Depends(_caller)]
DeskOf = Annotated[Desk, Depends(_desk)]
