"""The order of flushing and naming, read off a trace: pure, from calls to breaches.

A file's name is final when `link` or `rename` gives it one under the warehouse. Before that the file must have been
fsynced after its last write; after it, its folder must be fsynced before the operation is acknowledged. Exempt are the
`latest` hint, locks (which never outlive their owner) and staging and temporary names, which nobody relies on.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from data_platform_tests.warehouse.faults.strace import Call

_DESCRIPTOR: Final = re.compile(r"^\d+<(?P<path>[^>]*)>")
_QUOTED: Final = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
_WRITING: Final = frozenset({"write", "pwrite64", "writev", "ftruncate"})
_FLUSHING: Final = frozenset({"fsync", "fdatasync"})
_NAMING: Final = frozenset({"link", "linkat", "rename", "renameat", "renameat2"})
_NEW_FOLDER: Final = frozenset({"mkdir", "mkdirat"})


def breaches(calls: Iterable[Call], root: Path) -> list[str]:
    """Every name that was published too early, or never made durable. `calls` in the order they were made."""
    dirty: set[str] = set()
    unflushed: dict[str, str] = {}
    found: list[str] = []
    for call in calls:
        if call.result.startswith("-1"):
            continue
        if call.name in _WRITING:
            dirty.add(_written(call))
        elif call.name == "openat" and "O_TRUNC" in call.arguments:
            dirty.update(_paths(call))
        elif call.name in _FLUSHING:
            flushed = _written(call)
            dirty.discard(flushed)
            unflushed = {name: folder for name, folder in unflushed.items() if folder != flushed}
        elif call.name in _NEW_FOLDER:
            unflushed.update({name: posixpath.dirname(name) for name in _paths(call) if _counts(name, root)})
        elif call.name in _NAMING:
            source, target = _paths(call)
            if _counts(target, root):
                if source in dirty:
                    found.append(f"{target} was named before its content was flushed")
                unflushed[target] = posixpath.dirname(target)
            if source in dirty:
                dirty.add(target)
    return [*found, *(f"{name} was acknowledged before {folder} was flushed" for name, folder in unflushed.items())]


def names_given(calls: Iterable[Call], root: Path) -> list[str]:
    """The final names under the warehouse that an operation gave, relative to it."""
    targets = (_paths(call)[1] for call in calls if call.name in _NAMING and not call.result.startswith("-1"))
    return [posixpath.relpath(target, root) for target in targets if _counts(target, root)]


def _counts(name: str, root: Path) -> bool:
    if not name.startswith(f"{root}/"):
        return False
    parts = posixpath.relpath(name, root).split("/")
    hint = len(parts) == 3 and parts[2] == "latest"
    return not hint and parts[0] not in {"staging", "locks", "sound"} and not parts[-1].startswith(".tmp-")


def _written(call: Call) -> str:
    match = _DESCRIPTOR.match(call.arguments)
    return match["path"] if match else ""


def _paths(call: Call) -> list[str]:
    return list(_absolute(call.arguments))


def _absolute(arguments: str) -> Iterator[str]:
    for match in _QUOTED.finditer(arguments):
        yield posixpath.normpath(posixpath.join(match["folder"] or "/", match["name"]))
