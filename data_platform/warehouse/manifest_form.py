"""How a manifest is stored: one document, or, with very many files, one that names a part for each group of files.

A daily-partitioned table of twenty years has 5,000 files, and each new day would write all their entries again. Above
that number the entries are kept in parts, one for each group of partitions (a year, for partitions named by date),
named by their content: publishing one partition writes one part and a short manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Final, cast

from pydantic import ValidationError

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.manifest import FileEntry, SyncManifest
from data_platform.warehouse.sealed import SEE_VERIFY, seal, unseal
from data_platform.warehouse.store import ObjectStore

SPLIT_ABOVE: Final = 5_000
_SEAL: Final = "manifest_sha256"
_GROUP_LETTERS: Final = 4


def documents_of(manifest: SyncManifest, *, split_above: int = SPLIT_ABOVE) -> tuple[bytes, dict[str, bytes]]:
    """The manifest as stored, and the parts that it names, by key; there are none for up to `split_above` files."""
    content = manifest.model_dump(mode="json")
    if len(manifest.files) <= split_above:
        return seal(content, _SEAL), {}
    parts: dict[str, bytes] = {}
    named: list[dict[str, object]] = []
    for group, entries in groupby(manifest.files, key=_group_of):
        files = list(entries)
        data = json.dumps([entry.model_dump(mode="json") for entry in files]).encode()
        sha256 = hashlib.sha256(data).hexdigest()
        parts[layout.manifest_part(manifest.table, sha256)] = data
        named.append({"group": group, "sha256": sha256, "files": len(files)})
    return seal({**content, "files": [], "parts": named}, _SEAL), parts


def manifest_from(data: bytes, table: str, read_part: Callable[[str], bytes], *, name: str) -> SyncManifest:
    """Load a stored manifest and check every invariant; `read_part` gives the content of a part's key.

    Raises:
        ChecksumMismatchError: naming the manifest and what is wrong with it.
    """
    manifest = _parsed(data, name)
    if isinstance(manifest, SyncManifest):
        return manifest
    parts = cast("list[Mapping[str, str]]", manifest["parts"])
    files = [entry for part in parts for entry in _entries(part["sha256"], table, read_part, name)]
    return _validated({**{key: value for key, value in manifest.items() if key != "parts"}, "files": files}, name)


@lru_cache(maxsize=32)
def _parsed(data: bytes, name: str) -> SyncManifest | dict[str, object]:
    """The manifest of these bytes, which is frozen and may be shared; its content, where it is kept in parts."""
    content = unseal(data, _SEAL, name=f"Manifest {name}")
    return content if "parts" in content else _validated(content, name)


def _validated(content: Mapping[str, object], name: str) -> SyncManifest:
    try:
        return SyncManifest.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(item["msg"] for item in error.errors(include_input=False, include_url=False))
        raise ChecksumMismatchError(f"Manifest {name} is not valid: {problems}.", hint=SEE_VERIFY) from None


def load_manifest(store: ObjectStore, table: str, number: int) -> SyncManifest:
    """Load the manifest of one version.

    Raises:
        FileNotFoundError: when there is none.
        ChecksumMismatchError: when it, or a part of it, is damaged, or another's lies in its place.
    """
    data = store.get(layout.version(table, number))
    manifest = manifest_from(data, table, store.get, name=f"{table} version {number}")
    if (manifest.table, manifest.manifest_version) != (table, number):
        raise ChecksumMismatchError(
            f"The manifest in the place of {table} version {number} is that of {manifest.table} version "
            f"{manifest.manifest_version}.",
            hint=SEE_VERIFY,
        )
    return manifest


def bad_parts(data: bytes, table: str, read_part: Callable[[str], bytes], *, name: str) -> list[tuple[str, str]]:
    """The key and hash of every part of a stored manifest that is gone or damaged.

    Raises:
        ChecksumMismatchError: when the manifest itself is damaged.
    """
    parts = cast("list[Mapping[str, str]]", unseal(data, _SEAL, name=f"Manifest {name}").get("parts", []))
    hashes = [part["sha256"] for part in parts]
    return [
        (layout.manifest_part(table, sha256), sha256) for sha256 in hashes if _part(sha256, table, read_part) is None
    ]


def _part(sha256: str, table: str, read_part: Callable[[str], bytes]) -> bytes | None:
    try:
        data = read_part(layout.manifest_part(table, sha256))
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def _entries(sha256: str, table: str, read_part: Callable[[str], bytes], name: str) -> list[object]:
    data = _part(sha256, table, read_part)
    if data is None:
        raise ChecksumMismatchError(f"A part of manifest {name} is gone or damaged.", hint=SEE_VERIFY)
    return cast("list[object]", json.loads(data))


def _group_of(entry: FileEntry) -> str:
    return entry.partition[:_GROUP_LETTERS]
