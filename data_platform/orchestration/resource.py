"""What a Dagster run works with, and whom it tells what came of each partition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from data_platform.errors import PlatformError
from data_platform.records.connection import Records, open_records
from data_platform.records.pending_loading import catch_up
from data_platform.settings import Settings, load_settings
from data_platform.sync import PartitionResult, SyncContext
from data_platform.warehouse import Warehouse

RUN_LOCK_WAIT_SECONDS: Final = 60.0
"""How long an unattended run waits for another writer of its table; a person at a terminal is told at once."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform, open: settings, operational records, warehouse."""

    settings: Settings
    records: Records
    warehouse: Warehouse


@contextmanager
def open_platform(settings: Settings) -> Generator[Platform]:
    """Open the platform, starting the embedded PostgreSQL when nobody else has.

    Raises:
        DatabaseUnavailableError: when the database cannot be reached or started.
    """
    with open_records(settings) as records:
        catch_up(settings.home, records)
        yield Platform(settings, records, Warehouse(settings.warehouse_root))


class PlatformResource(ABC):
    """The resource under the key ``platform``: how a run gets at the platform."""

    @abstractmethod
    def open(self) -> AbstractContextManager[Platform]:
        """Open the platform for the length of a `with` block."""

    @abstractmethod
    def sync_context(self, platform: Platform) -> SyncContext:
        """The surroundings in which a run of this resource syncs."""

    @abstractmethod
    def report(self, result: PartitionResult | PlatformError) -> None:
        """Hear what came of one partition, or of the error that ended the run."""


class EnvironmentPlatform(PlatformResource):
    """For runs that Dagster launches: everything from the environment, opened for the run."""

    @override
    def open(self) -> AbstractContextManager[Platform]:
        return open_platform(load_settings())

    @override
    def sync_context(self, platform: Platform) -> SyncContext:
        return SyncContext(
            platform.settings, platform.warehouse, platform.records, lock_wait_seconds=RUN_LOCK_WAIT_SECONDS
        )

    @override
    def report(self, result: PartitionResult | PlatformError) -> None:
        """Dagster's own events say it all."""


@dataclass
class WatchedPlatform(PlatformResource):
    """For runs inside the command line: an open platform, a watched context, and everything that was reported."""

    platform: Platform
    context: SyncContext
    listen: Callable[[PartitionResult | PlatformError], None]

    @override
    def open(self) -> AbstractContextManager[Platform]:
        return nullcontext(self.platform)

    @override
    def sync_context(self, platform: Platform) -> SyncContext:
        return self.context

    @override
    def report(self, result: PartitionResult | PlatformError) -> None:
        self.listen(result)


def watched(platform: Platform, errors: list[PlatformError]) -> WatchedPlatform:
    """An open platform whose runs leave the error that ended them in `errors`."""

    def listen(result: PartitionResult | PlatformError) -> None:
        if isinstance(result, PlatformError):
            errors.append(result)

    context = SyncContext(platform.settings, platform.warehouse, platform.records)
    return WatchedPlatform(platform, context, listen)
