"""The power-loss table: cut the power right after a store acknowledged a commit, and look what is there afterwards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.client import StoreFailedError, Worker
from benchmarks.inputs import content_of, total_content, year_rows, years_of
from benchmarks.volumes import FILE_SYSTEMS, JOURNAL_FLUSHED, NOTHING_FLUSHED, FileSystem, Volume, why_not

ROWS: Final = 2_000
KEPT: Final = "kept"
LOST: Final = "lost"
BROKEN: Final = "broken"
Content = tuple[int, int]


def verdict(read: Content | None, *, before: Content, acknowledged: Content, writes_again: bool) -> str:
    """What a power cut did. Kept: the acknowledged rows are there. Lost: the state before them is. Else broken.

    `read` is None when reading failed. A store that can be read and takes no further commit is broken too.
    """
    if read is None or not writes_again:
        return BROKEN
    if read == acknowledged:
        return KEPT
    return LOST if read == before else BROKEN


def measure_power_loss(
    stores: Sequence[str], inputs: Path, scratch: Path, *, trials: int, say: Callable[[str], None]
) -> tuple[dict[str, dict[str, Counter[str]]], list[str]]:
    """Cut the power `trials` times per store and file system; return the verdicts by file system and store.

    Also returns why a file system was left out. Half of the cuts let the journal reach the device first, half nothing.
    """
    table: dict[str, dict[str, Counter[str]]] = {}
    skipped: list[str] = []
    if not trials:
        return {}, ["power loss: no trials were asked for"]
    for file_system in FILE_SYSTEMS:
        reason = why_not(file_system)
        if reason:
            skipped.append(f"{file_system}: {reason}")
            continue
        table[file_system] = {store: Counter() for store in stores}
        for trial in range(trials):
            say(f"power loss on {file_system}, trial {trial + 1} of {trials}")
            flag = NOTHING_FLUSHED if trial % 2 else JOURNAL_FLUSHED
            for store in stores:
                folder = scratch / f"power-{file_system}-{store}-{trial}"
                table[file_system][store][_trial(store, inputs, folder, file_system, flag)] += 1
    return table, skipped


def _trial(store: str, inputs: Path, folder: Path, file_system: FileSystem, flag: int) -> str:
    years = years_of(inputs)[:3]
    contents = [content_of(year_rows(inputs, year, rows=ROWS)) for year in years]
    restated = content_of(year_rows(inputs, years[-1], rows=ROWS, restatement=1))
    before, acknowledged = total_content(contents), total_content([*contents[:-1], restated])
    volume = Volume(file_system, folder)
    try:
        place = str(volume.mount_point / "store")
        with Worker(store, inputs) as worker:
            worker.call("open", folder=place)
            worker.call("write", years=years, rows=ROWS)
            os.sync()  # what came before is safe; only the next commit is at stake
            worker.call("write", years=[years[-1]], rows=ROWS, restatement=1)
            volume.cut_power(flag)
        volume.unmount()
        volume.mount()
        with Worker(store, inputs) as worker:
            read = _read(worker, place)
            again = read is not None and _writes_again(worker, years[0])
        return verdict(read, before=before, acknowledged=acknowledged, writes_again=again)
    finally:
        volume.remove()


def _read(worker: Worker, place: str) -> Content | None:
    try:
        worker.call("open", folder=place)
        answer = worker.call("read_all")
    except StoreFailedError:
        return None
    return (answer["content"][0], answer["content"][1]) if answer else None


def _writes_again(worker: Worker, year: int) -> bool:
    try:
        worker.call("write", years=[year], rows=ROWS, restatement=2)
        worker.call("read_all")
    except StoreFailedError:
        return False
    return True
