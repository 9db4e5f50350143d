"""The services behind the routes, and the threads that they run in: some for what is quick, others for queries.

No number of queries keeps a question of a second from being answered, and neither keeps the webserver's own threads
busy. Whoever comes when too many wait already is told so at once.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Protocol, TypeVar, cast

from fastapi import Depends, Request

from data_platform.errors import DatabaseUnavailableError, PlatformError
from data_platform.governance.explorer import DataExplorerService, serving
from data_platform.governance.permissions import User
from data_platform.governance.quality import DataQualityService
from data_platform.governance.sync_service import DataSyncService, SyncLauncher
from data_platform.orchestration.webserver.context import NOBODY, USER_KEY
from data_platform.records.connection import Records
from data_platform.settings import Settings
from data_platform.warehouse.warehouse import Warehouse

_LOG: Final = logging.getLogger("data_platform.api")

Answer = TypeVar("Answer")

QUICK_THREADS: Final = 8
QUERY_THREADS: Final = 32
"""The engine lets fewer run at a time; the others wait their turn there, fairly by user."""

MOST_WAITING: Final = 400


STOP_SECONDS: Final = 10.0
"""How long a server that ends waits for the queries that it has cancelled."""


class BusyError(PlatformError):
    """Too many requests wait already."""


class Workers:
    """Threads with a bounded queue."""

    def __init__(self, name: str, threads: int, most: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = most
        self._present: set[asyncio.Future[Any]] = set()
        self._stopped = False

    async def run(self, call: Callable[[], Answer]) -> Answer:
        """Call it in a thread; when the client leaves, it is still called to its end.

        Raises:
            BusyError: when too many wait.
        """
        future = self.start(call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if future.cancelled() and self._stopped:
                raise _stopping() from None
            raise

    def start(self, call: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """The same without waiting for it.

        Raises:
            BusyError: when too many wait, or the server stops.
        """
        if self._stopped:
            raise _stopping()
        if len(self._present) >= self._most:
            raise BusyError("Too many requests wait already.", hint="Try again in a few seconds.")
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        self._present.add(future)
        future.add_done_callback(self._left)
        return future

    def stop(self) -> None:
        """Begin nothing any more; what waits is dropped, and what runs goes on."""
        self._stopped = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ended(self, seconds: float) -> None:
        """Wait for what runs, up to so many seconds."""
        if self._present:
            await asyncio.wait(self._present, timeout=seconds)

    def _left(self, future: asyncio.Future[Any]) -> None:
        self._present.discard(future)
        if not future.cancelled():
            future.exception()  # Whoever waited has it; nobody else is told.


def _stopping() -> BusyError:
    return BusyError("The server stops.", hint="Try again in a few seconds.")


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

    async def stop(self) -> None:
        """End all queries, so that the server can: those that run are cancelled, those that wait are lost."""
        self.querying.stop()
        try:
            await asyncio.to_thread(serving.stop, self.records)
        except DatabaseUnavailableError as error:
            # What waits is ended when a server begins.
            _LOG.warning("What waits could not be ended: %s", error)
        # What was cancelled still says so in the records.
        await self.querying.ended(STOP_SECONDS)


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
