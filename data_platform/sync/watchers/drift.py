"""Looking for price drift: which files are to be compared since the last look, and what is so now.

Every comparison is made once: published files never change, so what came of it is remembered. Of versions, each new one
is held against the one before. A drift between them is over with the partition's next version that moves no price, or
that goes back to the prices before the drift, as a rollback does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl
from pydantic import BaseModel, ValidationError

from data_platform.catalog import find_table
from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.quality.price_drift import PAIRS, TOLERANCE_PCT, Drift, Pair, drift_between
from data_platform.sync.watchers.watch import Metric, Watch
from data_platform.warehouse import SyncManifest, Warehouse
from data_platform.warehouse.reader import file_of

SECONDS: Final = 15.0
"""After so many no further comparison is begun; what is left waits for the next look."""


class Found(BaseModel):
    """A partition that drifted: the figures, beside what, and for versions the one before the drift."""

    drift: Drift
    beside: str
    before: int | None = None


class PairMemory(BaseModel):
    """Of a pair: the last version that was looked at, or which files of each partition were; and what drifts.

    `done` are the partitions of the version after `version` that were compared already, when a look ended within it.
    """

    version: int | None = None
    done: list[str] = []
    files: dict[str, str] = {}
    found: dict[str, Found] = {}


class DriftMemory(BaseModel):
    """What the last look left, by pair."""

    pairs: dict[str, PairMemory] = {}

    @classmethod
    def read(cls, text: str | None) -> DriftMemory:
        """The memory that was written; an empty one for what can't be read: the newest files are compared anew."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()


@dataclass(slots=True)
class Look:
    """What a look found, what it leaves, how many comparisons it made, and whether some are left for the next one."""

    memory: DriftMemory
    found: list[Watch] = field(default_factory=list[Watch])
    comparisons: int = 0
    is_complete: bool = True


def look_for_drift(
    warehouse: Warehouse,
    memory: DriftMemory,
    *,
    pairs: Sequence[Pair] = PAIRS,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Look:
    """Compare what was published since the last look, and say what drifts now.

    A file or manifest that is gone or damaged is passed over: another watcher tells of it.
    """
    look = Look(memory.model_copy(deep=True))
    ends = clock() + seconds
    for pair in pairs:
        kept = look.memory.pairs.setdefault(pair.name, PairMemory())
        steps = _versions(warehouse, pair, kept) if pair.is_of_versions else _tables(warehouse, pair, kept)
        try:
            for compared in steps:
                look.comparisons += compared
                if clock() >= ends:
                    look.is_complete = False
                    break
        except (ChecksumMismatchError, UsageError):
            continue
        finally:
            look.found += [_watch(pair, name, found) for name, found in sorted(kept.found.items())]
    return look


def _versions(warehouse: Warehouse, pair: Pair, kept: PairMemory) -> Iterator[int]:
    """Hold each new version against the one before; yields how many comparisons each partition took."""
    manifests = warehouse.manifests(pair.table)
    latest = manifests.latest_number()
    # At first only the newest; and a restored warehouse may have fewer versions than it had.
    if kept.version is None or kept.version > latest:
        kept.version, kept.done = max(latest - 1, 0), []
    first = kept.version + 1
    for number in range(first, latest + 1):
        # One that can't be read is passed over, at the next look too.
        done, kept.version, kept.done = kept.done, number, []
        newer, older = manifests.load(number), manifests.predecessor_of(number)
        changed = () if older is None else tuple(name for name in newer.changed_partitions if name not in done)
        for place, name in enumerate(changed):
            assert older is not None  # noqa: S101 - nothing has changed without one
            # A rollback changes as many as there are, which may take longer than a look has.
            left = changed[place + 1 :]
            kept.version, kept.done = (number - 1, [*done, *changed[: place + 1]]) if left else (number, [])
            yield _step(warehouse, pair, kept, name, newer, older)
        if not changed:
            yield 0


def _step(
    warehouse: Warehouse, pair: Pair, kept: PairMemory, name: str, newer: SyncManifest, older: SyncManifest
) -> int:
    """Hold a partition of a version against the version before, and note whether it drifts; the comparisons made."""
    previous = newer.manifest_version - 1
    known = kept.found.pop(name, None)
    drift = _compared(warehouse, pair, name, newer, older)
    count = int(drift is not None)
    before = previous if known is None or known.before is None else known.before
    if drift is None or not drift.drifted:
        return count
    if before != previous:
        back = _compared(warehouse, pair, name, newer, warehouse.manifests(pair.table).load(before))
        count += back is not None
        if back is None or not back.drifted:
            return count
    kept.found[name] = Found(drift=drift, beside=f"version {previous}", before=before)
    return count


def _tables(warehouse: Warehouse, pair: Pair, kept: PairMemory) -> Iterator[int]:
    """Hold each partition that is new in one of two tables against the other's."""
    measured, against = (warehouse.manifests(name).latest() for name in (pair.table, pair.against))
    if measured is None or against is None:
        return
    # The newest first: that is what people look at.
    for entry in reversed(measured.files):
        other = against.file(entry.partition)
        if other is None:
            kept.found.pop(entry.partition, None)
            continue
        files = f"{entry.sha256[:16]}:{other.sha256[:16]}"
        if kept.files.get(entry.partition) == files:
            continue
        kept.files[entry.partition] = files
        kept.found.pop(entry.partition, None)
        drift = _compared(warehouse, pair, entry.partition, measured, against)
        if drift is not None and drift.drifted:
            kept.found[entry.partition] = Found(drift=drift, beside=pair.against)
        yield 1


def _compared(
    warehouse: Warehouse, pair: Pair, partition: str, measured: SyncManifest, against: SyncManifest
) -> Drift | None:
    """What a partition's rows in two manifests come to; None where one lacks it, or both have the same file."""
    one, other = measured.file(partition), against.file(partition)
    series, beside = find_table(pair.table).series, find_table(pair.against).series
    if one is None or other is None or one.sha256 == other.sha256 or series is None or beside is None:
        return None
    try:
        newer = file_of(warehouse.store, pair.table, measured.manifest_version, one)
        older = file_of(warehouse.store, pair.against, against.manifest_version, other)
    except ChecksumMismatchError:
        return None
    return drift_between(pl.scan_parquet(newer), pl.scan_parquet(older), series, beside)


def _watch(pair: Pair, partition: str, found: Found) -> Watch:
    drift = found.drift
    return Watch(
        Metric.PRICE_DRIFT,
        "warning",
        f"{drift.drifted:,} of {drift.compared:,} prices of {pair.table} {partition} differ by more than "
        f"{TOLERANCE_PCT:g} % from those of {found.beside}, by {drift.worst_pct:.1f} % at most: of {drift.entities:,} "
        f"securities, from {drift.first} to {drift.last}.",
        table_name=pair.table,
        partition=partition if pair.is_of_versions else f"{partition} beside {pair.against}",
        current_value=float(drift.drifted),
        expected_value=0.0,
    )
