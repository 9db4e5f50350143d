"""The sum over all processes: those that live, and those that lived, whose files are folded into one.

Folding is exactly once, whatever is killed in the middle of it: the new totals and the names of the files that are in
them appear together, by one rename, and only then do those files go. Whoever finds a file that the totals name knows
that it is counted already, and removes it. Whoever reads or folds holds `flock` on `folding.lock`.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import struct
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from data_platform.metrics.declared import METRICS, Kind
from data_platform.metrics.files import SUFFIX

FOLDER: Final = "metrics"
"""The folder of the home that files of metrics are in."""

MANY: Final = 64
"""With more files than these, a process that begins to count folds those of the dead."""

_AT_ONCE: Final = 256
_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.01
_TOTALS: Final = "totals.json"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Totals:
    """What dead processes counted, by key, and the names of the files that are in it and may still lie there."""

    values: dict[str, float] = field(default_factory=dict[str, float])
    folded: list[str] = field(default_factory=list[str])


def read_sums(folder: Path) -> dict[str, float]:
    """Fold what can be folded, and return every number by its key.

    Raises:
        OSError: when the folder can't be read, or another process keeps it for longer than five seconds.
    """
    if not folder.is_dir():
        return {}
    with _alone(folder, _WAIT_SECONDS):
        with suppress(OSError):  # a full disk: the files stay, and are read one by one
            _fold(folder)
        totals = _load(folder)
        sums = dict(totals.values)
        with ExitStack() as stack:
            for path in _files(folder, totals):
                _merge(sums, _entries(path), alive=_lock_of_dead(stack, path) is None)
    return sums


def fold_many(folder: Path) -> None:
    """Fold the files of dead processes, if there are many; not when another process is at it.

    Raises:
        OSError: when the new totals can't be written; nothing has changed then.
    """
    if sum(1 for _ in folder.glob(f"*{SUFFIX}")) > MANY:
        with suppress(TimeoutError), _alone(folder, 0.0):
            _fold(folder)


def _fold(folder: Path) -> None:
    while _fold_some(folder) == _AT_ONCE:
        pass


def _fold_some(folder: Path) -> int:
    """Fold at most so many files, and return how many they were."""
    totals = _load(folder)
    for name in totals.folded:
        (folder / name).unlink(missing_ok=True)
    dead: list[Path] = []
    # Their locks are held until they are gone: a process that has just made its file sees that it is taken.
    with ExitStack() as stack:
        for path in _files(folder, totals):
            if len(dead) < _AT_ONCE and _lock_of_dead(stack, path) is not None:
                dead.append(path)
        if not dead:
            return 0
        for path in dead:
            _merge(totals.values, _entries(path), alive=False)
        _store(folder, Totals(totals.values, [path.name for path in dead]))
        for path in dead:
            path.unlink(missing_ok=True)
    return len(dead)


def _merge(sums: dict[str, float], entries: Iterable[tuple[str, float]], *, alive: bool) -> None:
    for key, value in entries:
        match _kind_of(key):
            case Kind.COUNTER | Kind.HISTOGRAM:
                sums[key] = sums.get(key, 0.0) + value
            case Kind.LATEST:
                sums[key] = max(sums.get(key, value), value)
            case Kind.RUNNING if alive:
                sums[key] = sums.get(key, 0.0) + value
            case _:
                pass


def _kind_of(key: str) -> Kind | None:
    """The kind of the metric that a key is of; None when it is declared no more."""
    metric = METRICS.get(json.loads(key)[0])
    return None if metric is None else metric.kind


def _files(folder: Path, totals: Totals) -> list[Path]:
    known = set(totals.folded)
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if path.name not in known]


def _entries(path: Path) -> list[tuple[str, float]]:
    """The numbers of a file, as far as it can be read."""
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 - 30 ms that only reading needs

    found: list[tuple[str, float]] = []
    try:
        for key, value, _, _ in _read(MmapedDict, path):
            _kind_of(key)
            found.append((key, value))
    except FileNotFoundError:
        pass
    except (struct.error, RuntimeError, ValueError, LookupError, TypeError):
        # One that was killed before it had written its first bytes has counted nothing.
        if path.stat().st_size:
            _log.warning("%s is no file of metrics any more; what can't be read of it is left out", path.name)
    return found


def _read(reader: Any, path: Path) -> Iterable[tuple[str, float, float, int]]:  # noqa: ANN401 - untyped library
    return reader.read_all_values_from_file(str(path))


def _lock_of_dead(stack: ExitStack, path: Path) -> int | None:
    """Hold the file's lock until the stack ends, if its process is dead; None when it lives or the file is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    stack.callback(os.close, descriptor)
    return descriptor


def _load(folder: Path) -> Totals:
    path = folder / _TOTALS
    try:
        document: Mapping[str, Any] = json.loads(path.read_bytes())
        values = {str(key): float(value) for key, value in document["values"].items()}
        return Totals(values, [str(name) for name in document["folded"]])
    except FileNotFoundError:
        return Totals()
    except (ValueError, LookupError, TypeError, AttributeError):
        _log.warning("%s is damaged; it is put aside, and counting begins anew", _TOTALS)
        path.rename(folder / f"{_TOTALS}.damaged-{time.time_ns()}")
        return Totals()


def _store(folder: Path, totals: Totals) -> None:
    """Replace the totals, so that they last, before anything that is in them goes."""
    building = folder / f"{_TOTALS}.new"
    with open(building, "w", opener=_private) as file:
        json.dump({"values": totals.values, "folded": totals.folded}, file)
        file.flush()
        os.fsync(file.fileno())
    building.replace(folder / _TOTALS)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


@contextmanager
def _alone(folder: Path, wait_seconds: float) -> Generator[None]:
    """Be the only one that folds or reads.

    Raises:
        TimeoutError: when another process is at it for longer.
    """
    descriptor = os.open(folder / "folding.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError("the metrics are being read by another process") from None
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
