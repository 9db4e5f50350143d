"""Which files a query may read: the dataset it asks for, and the reference datasets that its user may see as well."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

from data_platform.catalog import DATASETS, Dataset, find_dataset
from data_platform.errors import ChecksumMismatchError, ConfigurationError, PlatformError, UsageError
from data_platform.governance.audited import AuditedRun, Question, audited
from data_platform.governance.engine.outcomes import QueryRefusedError
from data_platform.governance.engine.problems import ProblemKind
from data_platform.governance.explorer.door import Door
from data_platform.governance.permissions import Action, User, decide, require
from data_platform.governance.pinning import pin_dataset, views_of
from data_platform.records.rate_limits import Limit
from data_platform.settings import Settings
from data_platform.warehouse.as_of import AsOf
from data_platform.warehouse.reader import PinnedVersion

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readable:
    """The pinned tables that a query may name, by name; `damaged` are the reference datasets that can't be read."""

    dataset: Dataset
    pinned: Mapping[str, PinnedVersion]
    damaged: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table."""
        return {name: version.version for name, version in self.pinned.items()}

    @property
    def views(self) -> dict[str, tuple[str, ...]]:
        """The files of each table, for the engine."""
        return views_of(dict(self.pinned))

    def versions_of(self, tables: Sequence[str]) -> dict[str, int]:
        """The versions of the tables that a statement names."""
        return {name: self.pinned[name].version for name in tables}

    def bytes_of(self, tables: Sequence[str]) -> int:
        """The size of the files of these tables."""
        return sum(file.bytes for name in tables for file in self.pinned[name].manifest.files)


def reference_datasets(settings: Settings) -> frozenset[str]:
    """The datasets that an administrator has named as references.

    Raises:
        ConfigurationError: when the catalog does not have one of them.
    """
    unknown = sorted(settings.reference_datasets - frozenset(DATASETS))
    if unknown:
        raise ConfigurationError(
            f"DATA_PLATFORM_REFERENCE_DATASETS names {len(unknown)} unknown dataset{'' if len(unknown) == 1 else 's'}.",
            hint=f"Datasets: {', '.join(DATASETS)}.",
        )
    return settings.reference_datasets


def references_for(settings: Settings, user: User, dataset: str) -> list[str]:
    """The reference datasets that the user may join to a dataset; what is not permitted is not there."""
    known = reference_datasets(settings) - {dataset}
    return sorted(name for name in known if decide(user, Action.QUERY_DATA, name).allowed)


@contextmanager
def reading(
    door: Door, user: User, question: Question, as_of: AsOf | int | None, limit: Limit
) -> Generator[tuple[Readable, AuditedRun]]:
    """Pin what the question may read and audit what the block does with it; a failure to pin is audited too.

    Raises:
        NoDataError, UsageError, ChecksumMismatchError, ConfigurationError: as `pin` does.
        RateLimitedError, DatabaseUnavailableError: as `audited` does; the block does not run.
        QueryRefusedError: of the block; it says when a reference dataset is not there because it is damaged.
    """
    with ExitStack() as files:
        with failure_recorded(door, question, limit):
            files.enter_context(undisturbed(door, as_of))
            readable = pin(door, user, question.dataset, as_of)
        with audited(door.records, door.cipher, question, readable.versions, limit) as run:
            try:
                yield readable, run
            except QueryRefusedError as error:
                raise _with_reason(error, readable, as_of) from None


@contextmanager
def failure_recorded(door: Door, question: Question, limit: Limit) -> Generator[None]:
    """Record an attempt that fails before it is known what it would read; it takes a place of the limit as well.

    Raises:
        PlatformError: what the block raised, or that the limit is reached.
    """
    try:
        yield
    except PlatformError:
        with audited(door.records, door.cipher, question, None, limit):
            raise


def _with_reason(error: QueryRefusedError, readable: Readable, as_of: AsOf | int | None) -> QueryRefusedError:
    """The same refusal; where a name was not found, with the reason why it may be missing."""
    problem = error.problem
    if problem.kind not in {ProblemKind.CROSS_DATASET, ProblemKind.UNKNOWN_NAME}:
        return error
    for table in readable.dataset.tables:
        # Whoever may query the dataset sees the names of its tables anyway.
        if table.name not in readable.pinned and problem.text.lower().startswith(f"table {table.name} not found"):
            return QueryRefusedError(
                replace(problem, text=_missing(table.name, as_of), hint=_remedy(table.name, as_of))
            )
    if not readable.damaged:
        return error
    names = ", ".join(readable.damaged)
    hint = f"The stored data of {names} is damaged and left out; `data-platform verify` checks it."
    return QueryRefusedError(replace(problem, hint=hint))


def _missing(table: str, as_of: AsOf | int | None) -> str:
    return f"Table {table} was never synced" if as_of is None else f"Table {table} has no version as of that"


def _remedy(table: str, as_of: AsOf | int | None) -> str:
    return f"Run: data-platform sync {table} --all" if as_of is None else f"See: data-platform versions {table}"


def pin(door: Door, user: User, dataset: str, as_of: AsOf | int | None = None) -> Readable:
    """Pin the dataset, and of each reference the user may see what there is and is sound.

    As of a tag or a moment, references are read as of it too; the number of a version speaks of the dataset alone.

    Raises:
        NoDataError, UsageError, ChecksumMismatchError: as `pin_dataset` does for the dataset.
        ConfigurationError: as `reference_datasets` does.
    """
    found = find_dataset(dataset)
    pinned = pin_dataset(door.warehouse, found, as_of)
    numbered = isinstance(as_of, int) or (as_of is not None and as_of.version is not None)
    damaged: list[str] = []
    for name in references_for(door.settings, user, dataset):
        try:
            pinned |= pin_dataset(door.warehouse, DATASETS[name], None if numbered else as_of)
        except UsageError:
            # Never synced, or not by then: it is not there.
            continue
        except ChecksumMismatchError as error:
            damaged.append(name)
            _log.warning("Queries of %s go without the reference dataset %s: %s", dataset, name, error)
    return Readable(found, pinned, tuple(damaged))


def require_tables(user: User, tables: Sequence[str], action: Action = Action.QUERY_DATA) -> None:
    """Let the user pass who may still read the datasets that these tables belong to.

    Raises:
        NotPermittedError: naming the permission that is missing.
    """
    for dataset in DATASETS.values():
        if any(table.name in tables for table in dataset.tables):
            require(user, action, dataset.name)


def permit_tables(
    door: Door, user: User, question: Question, tables: Sequence[str], action: Action = Action.QUERY_DATA
) -> None:
    """The same for rows that were read before; a refusal is recorded under the dataset that is missing.

    Raises:
        NotPermittedError, ConfigurationError: as `Door.permit` does.
    """
    for dataset in DATASETS.values():
        if any(table.name in tables for table in dataset.tables):
            door.permit(user, replace(question, dataset=dataset.name), action)


@contextmanager
def undisturbed(door: Door, as_of: AsOf | int | None) -> Generator[None]:
    """Keep files from being moved while a version is read that is not the latest: it may expire at any moment."""
    with nullcontext() if as_of is None else door.warehouse.sweeping.shared():
        yield
