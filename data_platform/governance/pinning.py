"""Which files a query may read: one pinned version of every synced table of a dataset."""

from __future__ import annotations

from data_platform.catalog import Dataset
from data_platform.errors import UsageError
from data_platform.warehouse.as_of import AsOf
from data_platform.warehouse.reader import NoDataError, PinnedVersion
from data_platform.warehouse.warehouse import Warehouse


def pin_dataset(warehouse: Warehouse, dataset: Dataset, as_of: AsOf | int | None = None) -> dict[str, PinnedVersion]:
    """Pin the latest version of each table, or the one that `as_of` means; tables that have none are left out.

    Raises:
        NoDataError: when no table of the dataset was ever synced.
        UsageError: when none of its tables has the version that `as_of` means.
        ChecksumMismatchError: when a manifest or a published file is damaged.
    """
    pinned: dict[str, PinnedVersion] = {}
    missing: UsageError | None = None
    for table in dataset.tables:
        try:
            pinned[table.name] = warehouse.reader(table.name).pin(as_of)
        except NoDataError:
            continue
        except UsageError as error:
            # Said of the first, which a dataset has for its main table.
            missing = missing or error
    if pinned:
        return pinned
    if missing is not None:
        raise missing
    first = dataset.tables[0].name
    raise NoDataError(f"No data available in dataset {dataset.name}.", hint=f"Run: data-platform sync {first} --all")


def views_of(pinned: dict[str, PinnedVersion]) -> dict[str, tuple[str, ...]]:
    """View name to the files behind it, for the engine."""
    return {name: tuple(map(str, version.files)) for name, version in pinned.items()}
