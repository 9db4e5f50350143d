"""Rolling back: the state of an earlier version becomes the next one. Nothing is undone, history only grows."""

from __future__ import annotations

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import layout
from data_platform.warehouse.integrity import fault_of, hash_file
from data_platform.warehouse.lock import HeldLock
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.manifests import Manifests
from data_platform.warehouse.publish import Provenance, next_manifest
from data_platform.warehouse.reader import file_of
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.sweep_lock import SweepLock


def roll_back(store: LocalStore, lock: HeldLock, table: str, to: int | None = None) -> SyncManifest:
    """Publish the state of version `to`, or of the version before the latest, as the next version.

    This is also the way on when the latest manifest is lost: the last one that can be read is then the default.
    Files of that version that retention has dropped are put together again and published under their new hash.

    Raises:
        UsageError: when there is no such version, or the latest is in that state already.
        ChecksumMismatchError: when a manifest or a file that is needed is damaged.
        Fenced: when the lock was lost; nothing is published.
    """
    manifests = Manifests(store, table)
    number = manifests.latest_number()
    base = _latest_if_sound(manifests)
    if number == 0 or (to is None and number == 1):
        raise UsageError(f"{table} has no earlier version to go back to.", hint=f"See: data-platform versions {table}")
    target = _target(manifests, number, base, to)
    if base is not None and target.checksum == base.checksum:
        raise _same_state(table, target)
    sound = base or manifests.last_sound()
    with SweepLock(store.root).shared():
        files = tuple(_standing(store, table, target.manifest_version, entry) for entry in target.files)
        changed = changed_partitions(base.files if base else (), files)
        if not changed:
            raise _same_state(table, target)

        def make(number: int) -> SyncManifest:
            return next_manifest(
                base,
                number,
                dataset=target.dataset,
                table=table,
                files=files,
                changed=changed,
                schema_version=target.schema_version,
                provenance=Provenance(files[0].source, target.source_fingerprint, target.wrds_query_hash),
                not_before=sound.sync_timestamp if sound else None,
            )

        return manifests.publish(lock, number, make)


def _same_state(table: str, target: SyncManifest) -> UsageError:
    return UsageError(
        f"{table} is in the state of version {target.manifest_version} already; nothing was published.",
        hint=f"See: data-platform versions {table}",
    )


def changed_partitions(old: tuple[FileEntry, ...], new: tuple[FileEntry, ...]) -> tuple[str, ...]:
    """The partitions whose file differs, or that only one of the two has, sorted. Pure."""
    before = {entry.partition: entry.sha256 for entry in old}
    after = {entry.partition: entry.sha256 for entry in new}
    return tuple(sorted(name for name in before | after if before.get(name) != after.get(name)))


def _latest_if_sound(manifests: Manifests) -> SyncManifest | None:
    try:
        return manifests.latest()
    except ChecksumMismatchError:
        return None


def _target(manifests: Manifests, number: int, base: SyncManifest | None, to: int | None) -> SyncManifest:
    if to is not None:
        return manifests.load(to)
    if base is not None:
        return manifests.load(number - 1)
    sound = manifests.last_sound()
    if sound is None:
        raise ChecksumMismatchError(
            f"No manifest of {manifests.table} can be read.", hint="Restore them: data-platform backup restore"
        )
    return sound


def _standing(store: LocalStore, table: str, version: int, entry: FileEntry) -> FileEntry:
    """The entry, of a file that stands among the published ones."""
    if fault_of(store, entry) is None:
        return entry
    path = file_of(store, table, version, entry)
    sha256, size = hash_file(path), path.stat().st_size
    standing = entry.model_copy(update={"sha256": sha256, "bytes": size})
    if not store.adopt_if_absent(layout.blob(sha256), path) and fault_of(store, standing, trust_notes=False):
        store.restore(layout.blob(sha256), path)
    return standing
