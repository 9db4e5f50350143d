"""Several processes that publish to one table and read it, struck by signals at random; and what must be left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, Protocol

from data_platform.errors import Fenced, LockBusyError, UsageError
from data_platform.warehouse import SyncManifest, Warehouse
from data_platform.warehouse.reader import NoDataError
from data_platform.warehouse.verify import verify_table
from data_platform_tests.warehouse.faults.child import FORKED
from data_platform_tests.warehouse.faults.scenarios import TABLE, write

YEARS = (2021, 2022, 2023, 2024)
Program = Callable[[Path, int, Connection], None]


class Write(Protocol):
    """Publishes one year's rows."""

    def __call__(self, root: Path, year: int, *, rows: int, ret: float) -> SyncManifest: ...


class Acknowledged(NamedTuple):
    """A version that a writer was told is published. Each publication has a `ret` of its own, in all of its rows."""

    version: int
    year: int
    rows: int
    ret: float


@dataclass
class Crowd:
    """Processes at work in one warehouse, and what they have said so far."""

    root: Path
    dice: random.Random
    processes: dict[Connection, tuple[BaseProcess, Program]] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    reads: int = 0
    kills: int = 0
    stops: int = 0
    robberies: int = 0

    def add(self, program: Program) -> None:
        """Start one more process."""
        ours, theirs = FORKED.Pipe(duplex=False)
        process = FORKED.Process(target=program, args=(self.root, self.dice.getrandbits(32), theirs), daemon=True)
        process.start()
        theirs.close()
        self.processes[ours] = (process, program)

    def listen(self, seconds: float) -> None:
        """Take down what is said within that time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for pipe in wait(list(self.processes), left):
                assert isinstance(pipe, Connection)
                try:
                    self._hear(pipe.recv())
                except (EOFError, ConnectionResetError):
                    process, program = self.processes.pop(pipe)
                    process.join()
                    if process.exitcode != -signal.SIGKILL:
                        self.complaints.append(f"{program.__name__} ended with {process.exitcode}")
                    self.add(program)

    def strike(self, program: Program) -> None:
        """Kill one of the processes that run a program, stop it for a moment, or take the lock away by force."""
        victim = self.dice.choice([process for process, its in self.processes.values() if its is program])
        assert victim.pid is not None
        chance = self.dice.random()
        if chance < 0.4:
            self.kills += 1
            _signal(victim.pid, signal.SIGKILL)
        elif chance < 0.6:
            self.robberies += _rob(Warehouse(self.root))
        else:
            self.stops += 1
            _signal(victim.pid, signal.SIGSTOP)
            self.listen(self.dice.uniform(0.0, 0.3))
            _signal(victim.pid, signal.SIGCONT)

    def _hear(self, said: object) -> None:
        if isinstance(said, Acknowledged):
            self.acknowledged.append(said)
        elif isinstance(said, str):
            self.complaints.append(said)
        else:
            self.reads += 1


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # killed by the blow before, and not yet taken note of
        os.kill(pid, which)


def _rob(warehouse: Warehouse) -> int:
    """Release the lock by force, if anybody has it just now."""
    for state in warehouse.locks():
        if state.token is not None:
            with suppress(UsageError):
                warehouse.lock(TABLE).force_release(state.token.writer_id)
                return 1
    return 0


@contextmanager
def crowd(root: Path, dice: random.Random) -> Iterator[Crowd]:
    """An empty crowd; everybody in it has ended when the block is left."""
    gathered = Crowd(root, dice)
    try:
        yield gathered
    finally:
        for pipe, (process, _) in gathered.processes.items():
            process.kill()
            process.join()
            while pipe.poll():
                try:
                    gathered._hear(pipe.recv())
                except (EOFError, ConnectionResetError):
                    break
            pipe.close()


def writer(root: Path, seed: int, pipe: Connection) -> None:
    """Publish one partition after another, and say what was acknowledged."""
    keep_writing(partial(write, wait_seconds=20), root, seed, pipe)


def keep_writing(write_one: Write, root: Path, seed: int, pipe: Connection) -> None:
    """Publish again and again by way of `write_one`."""
    dice = random.Random(seed)  # noqa: S311 - chooses what to publish, not a secret
    while True:
        year, rows, ret = dice.choice(YEARS), dice.randint(1, 30), dice.random()
        try:
            manifest = write_one(root, year, rows=rows, ret=ret)
        except (LockBusyError, Fenced):
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            pipe.send(f"writer: {type(error).__name__}: {error}")
        else:
            pipe.send(Acknowledged(manifest.manifest_version, year, rows, ret))


def reader(root: Path, seed: int, pipe: Connection) -> None:
    """Read the latest version again and again: whole partitions of one publication each, as many rows as promised."""
    warehouse = Warehouse(root)
    del seed
    while True:
        try:
            pinned = warehouse.reader(TABLE).pin()
            rows = pinned.scan().collect()
        except NoDataError:
            continue
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            pipe.send(f"reader: {type(error).__name__}: {error}")
            continue
        mixed = [year for (year,), part in rows.group_by(rows["date"].dt.year()) if part["ret"].n_unique() != 1]
        if mixed or rows.height != pinned.row_count:
            pipe.send(f"reader: version {pinned.version} is a mixture")
        pipe.send(pinned.version)


def wrongs(root: Path, acknowledged: list[Acknowledged]) -> list[str]:
    """What is wrong with the history that a crowd has left; empty when every promise was kept."""
    warehouse = Warehouse(root)
    manifests = list(warehouse.manifests(TABLE))
    found = [problem.message for problem in verify_table(warehouse.store, TABLE).problems]
    if [m.manifest_version for m in manifests] != list(range(1, len(manifests) + 1)):
        found.append("the versions are not consecutive")
    for before, after in pairwise(manifests):
        kept = {(f.partition, f.sha256) for f in before.files if f.partition not in after.changed_partitions}
        if after.previous_checksum != before.checksum or not kept <= {(f.partition, f.sha256) for f in after.files}:
            found.append(f"version {after.manifest_version} is not built on version {before.manifest_version}")
    if len({promise.version for promise in acknowledged}) < len(acknowledged):
        found.append("one version was acknowledged twice")
    found += [f"version {p.version} is not what was acknowledged" for p in acknowledged if not _kept(warehouse, p)]
    return found


def _kept(warehouse: Warehouse, promise: Acknowledged) -> bool:
    pinned = warehouse.reader(TABLE).pin(promise.version)
    if pinned.manifest.changed_partitions != (str(promise.year),):
        return False
    rows = pinned.scan().collect()
    of_year = rows.filter(rows["date"].dt.year() == promise.year)
    return of_year["ret"].to_list() == [promise.ret] * promise.rows
