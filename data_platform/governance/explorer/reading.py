"""Which files a query may read: the dataset it asks for, and the reference datasets that its user may see as well."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace

from data_platform.catalog import DATASETS, Dataset, find_dataset
from data_platform.errors import ConfigurationError, UsageError
from data_platform.governance.audited import Question
from data_platform.governance.explorer.door import Door
from data_platform.governance.permissions import Action, User, decide, require
from data_platform.governance.pinning import pin_dataset, views_of
from data_platform.settings import Settings
from data_platform.warehouse.as_of import AsOf
from data_platform.warehouse.reader import PinnedVersion


@dataclass(frozen=True, slots=True)
class Readable:
    """The pinned tables that a query may name, by name."""

    dataset: Dataset
    pinned: Mapping[str, PinnedVersion]

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


def pin(door: Door, user: User, dataset: str, as_of: AsOf | int | None = None) -> Readable:
    """Pin the dataset, and of each reference the user may see what there is.

    As of a tag or a moment, references are read as of it too; the number of a version speaks of the dataset alone.

    Raises:
        NoDataError, UsageError, ChecksumMismatchError: as `pin_dataset` does for the dataset.
        ConfigurationError: as `reference_datasets` does.
    """
    found = find_dataset(dataset)
    pinned = pin_dataset(door.warehouse, found, as_of)
    numbered = isinstance(as_of, int) or (as_of is not None and as_of.version is not None)
    for name in references_for(door.settings, user, dataset):
        # Never synced, or not by then: it is not there.
        with suppress(UsageError):
            pinned |= pin_dataset(door.warehouse, DATASETS[name], None if numbered else as_of)
    return Readable(found, pinned)


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
