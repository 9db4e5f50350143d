"""What is struck: an operation on a warehouse, and the warehouse that it starts from.

An operation is a function of the warehouse's folder, at the top of a module so that another process can be told to run
it. Whatever it needs is prepared beforehand, so that only its own calls are struck.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_platform.warehouse import SyncManifest, Warehouse, layout
from data_platform.warehouse.publish import Provenance, publish_partition
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.retention.sweep import sweep
from data_platform.warehouse.rollback import roll_back
from data_platform.warehouse.staging import stage, staging_folder
from data_platform_tests.warehouse.frames import PASSED, SCHEMA, batch

# A table of the catalog, so that retention knows a key by which to write deltas.
TABLE = "crsp_daily"
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` builds the warehouse in a folder, `operation` is then run on it in another process."""

    name: str
    prepare: Callable[[Path], None]
    operation: Callable[[Path], None]

    def __str__(self) -> str:
        return self.name


def nothing(root: Path) -> None:
    """An empty warehouse."""
    root.mkdir(parents=True)


def two_versions(root: Path) -> None:
    """A table with two partitions in two versions, and a tag on the first."""
    warehouse = Warehouse(root)
    write(root, 2023)
    write(root, 2024)
    warehouse.snapshots.create("first", {TABLE: 1}, created_by="test")


def a_dead_writers_lock(root: Path) -> None:
    """Two versions, and the lock of a writer that died while working."""
    two_versions(root)
    leave_a_lock(root)


def restated_history(root: Path) -> None:
    """Three versions, the middle one tagged; the last restates a year, so that a file of the first can be dropped."""
    write(root, 2023, rows=400, ret=0.02)
    write(root, 2023, rows=401, ret=0.02)
    write(root, 2023, rows=402, ret=0.02)
    Warehouse(root).snapshots.create("kept", {TABLE: 2}, created_by="test")


def dropped_files(root: Path) -> None:
    """The same after retention, with litter: a file that no version names, one half written, and a full trash."""
    restated_history(root)
    retain(root)
    store = Warehouse(root).store
    with staging_folder(root / "staging", TABLE, "dead") as folder:
        orphan = stage(iter([batch(2020)]), SCHEMA, "date", folder / "orphan.parquet")
        store.adopt_if_absent(layout.blob(orphan.sha256), orphan.path)
    (root / layout.BLOBS / ".tmp-1").write_bytes(b"half")
    assert list((root / layout.TRASH).rglob("*.parquet")), "retention has dropped nothing"


def write(root: Path, year: int, *, rows: int = 3, ret: float = 0.01, wait_seconds: float = 0.0) -> SyncManifest:
    """Publish one year as a writer does: lock, staging of its own, file, version, and all given back."""
    warehouse = Warehouse(root)
    with (
        warehouse.lock(TABLE).acquire(wait_seconds=wait_seconds) as lock,
        staging_folder(warehouse.staging_root, TABLE, lock.token.writer_id) as folder,
    ):
        return publish_partition(
            warehouse.store,
            lock,
            dataset="crsp",
            table=TABLE,
            partition=str(year),
            staged=stage(iter([batch(year, rows, ret)]), SCHEMA, "date", folder / f"{year}.parquet"),
            provenance=Provenance("test", "fingerprint", None),
            checks=(PASSED,),
        )


def leave_a_lock(root: Path) -> None:
    """Die with the lock in hand."""
    pid = os.fork()
    if pid == 0:
        try:
            Warehouse(root).lock(TABLE).acquire(wait_seconds=1)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def publish_first(root: Path) -> None:
    """Publish the first version of a table."""
    write(root, 2024)


def replace_partition(root: Path) -> None:
    """Publish other rows for a partition that is there."""
    write(root, 2024, rows=5, ret=0.5)


def publish_the_same(root: Path) -> None:
    """Publish what is published: the blob lies there already."""
    write(root, 2024)


def take_and_release(root: Path) -> None:
    """Take the lock and give it back."""
    Warehouse(root).lock(TABLE).acquire().release()


def force_release(root: Path) -> None:
    """Take the lock away from whoever has it."""
    (state,) = Warehouse(root).locks()
    assert state.token is not None
    Warehouse(root).lock(TABLE).force_release(state.token.writer_id)


def tag(root: Path) -> None:
    """Give the latest version a name."""
    Warehouse(root).snapshots.create("second", {TABLE: 2}, created_by="test", description="a tag")


def drop_tag(root: Path) -> None:
    """Take a name away."""
    Warehouse(root).snapshots.drop("first")


def roll_back_one(root: Path) -> None:
    """Publish the first version's state again."""
    with Warehouse(root).lock(TABLE).acquire() as lock:
        roll_back(Warehouse(root).store, lock, TABLE, 1)


def retain(root: Path) -> None:
    """Drop what only expired versions need, as of a day far ahead."""
    apply_retention(Warehouse(root), now=LATER)


def collect_garbage(root: Path) -> None:
    """Remove what nothing needs, as of a day far ahead."""
    sweep(Warehouse(root), now=LATER + dt.timedelta(days=30))


def set_aside(root: Path) -> None:
    """Put a file and its reason into quarantine."""
    warehouse = Warehouse(root)
    now = dt.datetime.now(dt.UTC)
    entry = QuarantineEntry(
        entry_id=entry_id(now),
        dataset="crsp",
        table=TABLE,
        partition="2024",
        created_at=now,
        findings=("row_count: too few",),
        source="test",
        source_fingerprint="fingerprint",
        row_count=3,
        files=("rejected.parquet",),
    )
    with staging_folder(warehouse.staging_root, TABLE, "writer") as folder:
        rejected = stage(iter([batch(2024)]), SCHEMA, "date", folder / "rejected.parquet")
        warehouse.quarantine.add(entry, moved={rejected.path.name: rejected.path}, written={"arrived.csv": b"a,b"})


def and_hold_no_lock(operation: Callable[[Path], None], root: Path) -> None:
    """Run an operation; whether it fails or not, this process, still alive, must not hold a lock afterwards."""
    try:
        operation(root)
    finally:
        assert not any(lock.alive for lock in Warehouse(root).locks())


def something_rejected(root: Path) -> None:
    """Two versions and a quarantine entry."""
    two_versions(root)
    set_aside(root)


def discard(root: Path) -> None:
    """Remove the quarantine entry."""
    quarantine = Warehouse(root).quarantine
    quarantine.delete(quarantine.entries()[0])


PUBLISH_FIRST = Scenario("publish_first", nothing, publish_first)
REPLACE = Scenario("replace_partition", two_versions, replace_partition)
TAG = Scenario("tag", two_versions, tag)
RETENTION = Scenario("retention", restated_history, retain)
RECOVER = Scenario("recover_lock", a_dead_writers_lock, take_and_release)

SCENARIOS = (
    PUBLISH_FIRST,
    REPLACE,
    Scenario("publish_the_same", two_versions, publish_the_same),
    Scenario("publish_after_a_death", a_dead_writers_lock, replace_partition),
    Scenario("lock", two_versions, take_and_release),
    RECOVER,
    Scenario("forced_release", a_dead_writers_lock, force_release),
    TAG,
    Scenario("drop_tag", two_versions, drop_tag),
    Scenario("quarantine", two_versions, set_aside),
    Scenario("discard_rejected", something_rejected, discard),
    Scenario("rollback", two_versions, roll_back_one),
    Scenario("rollback_to_dropped", dropped_files, roll_back_one),
    RETENTION,
    Scenario("garbage", dropped_files, collect_garbage),
)
