"""Rotating the key: everything is encrypted again with the newest one, then the old copies go.

First every object gets a copy under the new key, then every index, and only then the old ones are removed: the
indexes first. A rotation that is killed anywhere leaves every set readable with both keys; the next one continues.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError, ConfigurationError
from data_platform.warehouse.backup.index import SETS, Index
from data_platform.warehouse.backup.keys import VARIABLE, Key
from data_platform.warehouse.backup.objects import OBJECTS, Objects, content_of, object_key
from data_platform.warehouse.backup.selecting import Finding
from data_platform.warehouse.backup.sets import BackupSet, StoredFile

Progress = Callable[[int, int], None]
"""Called with the encrypted bytes of an object that is done and the number in all."""


class RotationReport(BaseModel):
    """What a rotation did. With findings, old copies were kept and the old key is still needed."""

    model_config = ConfigDict(frozen=True)

    recipient: str
    replaced_keys: tuple[str, ...]
    objects: int
    bytes: int
    sets: int
    findings: tuple[Finding, ...]


def rotate(objects: Objects, index: Index, work: Path, progress: Progress) -> RotationReport:
    """Encrypt again whatever is not yet under the newest key; `work` holds one plain file at a time.

    Raises:
        ConfigurationError: when something is under a key that is not here.
        DestinationError, DiskSpaceError: when the place fails; run it again to continue.
    """
    destination, newest = objects.destination, objects.keyring.newest
    old = [_require(objects, name) for name in key_names(objects) if name != newest.name]
    stored = {key.name: destination.sizes(f"{OBJECTS}/{key.name}") for key in old}
    total = sum(sum(sizes.values()) for sizes in stored.values())
    done = destination.sizes(f"{OBJECTS}/{newest.name}")
    present = {content_of(key): size for key, size in done.items()}
    moved_objects = moved_bytes = moved_sets = 0
    findings: list[Finding] = []
    for key in old:
        trouble = len(findings)
        for stored_key, size in stored[key.name].items():
            sha256 = content_of(stored_key)
            if sha256 not in present:
                try:
                    present[sha256] = _encrypt_again(objects, sha256, work)
                except ChecksumMismatchError as error:
                    findings.append(Finding(key=stored_key, message=error.message))
                else:
                    moved_objects, moved_bytes = moved_objects + 1, moved_bytes + size
            progress(size, total)
        old_sets = destination.sizes(f"{SETS}/{key.name}")
        for stored_key in old_sets:
            set_id = Path(stored_key).name.removesuffix(".json.age")
            try:
                backup = index.load_under(key, set_id)
                _require_present(backup, present)
            except ChecksumMismatchError as error:
                findings.append(Finding(key=stored_key, message=error.message))
                continue
            index.store(_under(newest, backup, present))
            moved_sets += 1
        if len(findings) == trouble:
            for stored_key in (*old_sets, *stored[key.name], birth_key(key.name)):
                destination.delete(stored_key)
    return RotationReport(
        recipient=newest.recipient,
        replaced_keys=tuple(key.name for key in old),
        objects=moved_objects,
        bytes=moved_bytes,
        sets=moved_sets,
        findings=tuple(findings),
    )


def key_names(objects: Objects) -> list[str]:
    """The names of the keys that anything at the place is under."""
    stored = (*objects.destination.sizes(SETS), *objects.destination.sizes(OBJECTS))
    return sorted({key.split("/")[1] for key in stored})


def birth_key(key_name: str) -> str:
    """Where it is noted since when a key is in use."""
    return f"keys/{key_name}.json"


def birth_note(key: Key, first_used_at: str) -> bytes:
    """That note; it holds nothing secret."""
    return json.dumps({"recipient": key.recipient, "first_used_at": first_used_at}, indent=1).encode()


def _require(objects: Objects, key_name: str) -> Key:
    key = objects.keyring.find(key_name)
    if key is None:
        raise ConfigurationError(
            f"Some backups at {objects.destination.shown} were made with the key {key_name}, which {VARIABLE} lacks.",
            hint=f"Add that key to {VARIABLE}, comma-separated, newest first; afterwards it is not needed any more.",
        )
    return key


def _encrypt_again(objects: Objects, sha256: str, work: Path) -> int:
    plain = work / sha256
    objects.fetch(sha256, plain, name=f"the content {sha256[:12]}…")
    try:
        # A copy that is there and not whole was not counted as present; it must make room.
        objects.destination.delete(object_key(objects.keyring.newest, sha256))
        return objects.send(plain, sha256)
    finally:
        plain.unlink()


def _require_present(backup: BackupSet, present: dict[str, int]) -> None:
    gone = [file.key for file in backup.files if file.sha256 not in present]
    if gone:
        raise ChecksumMismatchError(
            f"Backup {backup.id} stays under its old key: {len(gone)} of its objects can't be read, such as {gone[0]}."
        )


def _under(key: Key, backup: BackupSet, present: dict[str, int]) -> BackupSet:
    files = tuple(
        StoredFile(key=file.key, sha256=file.sha256, bytes=file.bytes, stored_bytes=present[file.sha256])
        for file in backup.files
    )
    return backup.model_copy(update={"recipient": key.recipient, "files": files})
