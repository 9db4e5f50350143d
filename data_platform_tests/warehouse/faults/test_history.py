"""Any history of commits, names, retention, garbage collection and crashes reads back as a dictionary says it must."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from data_platform.errors import UsageError
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.retention.sweep import sweep
from data_platform.warehouse.rollback import roll_back
from data_platform.warehouse.trash import fetch_from_trash, trashed
from data_platform_tests.warehouse.faults.aftermath import observe, require_sound
from data_platform_tests.warehouse.faults.child import DONE, Operation
from data_platform_tests.warehouse.faults.scenarios import TABLE, leave_a_lock, set_aside, write
from data_platform_tests.warehouse.faults.strace import Call, kill, require_strace
from data_platform_tests.warehouse.frames import batch

YEARS: Final = st.sampled_from([2021, 2022, 2023])
ROWS: Final = st.integers(400, 460)
"""Enough for a delta to be smaller than the file when most rows are the same."""
RETURNS: Final = st.sampled_from([0.01, 0.02, -0.5])
DAYS: Final = st.integers(0, 400)
CALLS: Final = st.builds(
    Call,
    st.sampled_from(["write", "fsync", "link", "rename", "unlink", "mkdir", "flock"]),
    st.integers(1, 8),
    st.just(""),
    st.just(""),
)
State = dict[int, tuple[int, float]]


class History(RuleBasedStateMachine):
    """`versions`: for each version, its years with row count and value; the rest as users see it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history-"))
        self.root = self.folder / "warehouse"
        self.warehouse = Warehouse(self.root)
        self.versions: list[State] = []
        self.names: dict[str, dict[str, int]] = {}
        self.quarantined = 0
        self.named = 0

    @rule(year=YEARS, rows=ROWS, ret=RETURNS)
    def commit(self, year: int, rows: int, ret: float) -> None:
        published = write(self.root, year, rows=rows, ret=ret)
        self.versions.append(self._after(year, rows, ret))
        assert published.manifest_version == len(self.versions)

    @rule(year=YEARS, rows=ROWS, ret=RETURNS, call=CALLS)
    def commit_and_be_killed(self, year: int, rows: int, ret: float, call: Call) -> None:
        acknowledged = self._kill(partial(write, year=year, rows=rows, ret=ret), call)
        if acknowledged or self.warehouse.manifests(TABLE).latest_number() > len(self.versions):
            self.versions.append(self._after(year, rows, ret))

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), kind=st.sampled_from(["snapshots", "pins"]))
    def name(self, data: st.DataObject, kind: str) -> None:
        version = data.draw(st.integers(1, len(self.versions)))
        self.named += 1
        sets = getattr(self.warehouse, kind)
        sets.create(f"n{self.named}", {TABLE: version}, created_by="test")
        self.names[f"{sets.kind} n{self.named}"] = {TABLE: version}

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def drop_name(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.names)))
        kind, name = chosen.split()
        {"snapshot": self.warehouse.snapshots, "pin": self.warehouse.pins}[kind].drop(name)
        del self.names[chosen]

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        to = data.draw(st.integers(1, len(self.versions)))
        try:
            with self.warehouse.lock(TABLE).acquire() as lock:
                roll_back(self.warehouse.store, lock, TABLE, to)
        except UsageError:
            assert self.versions[to - 1] == self.versions[-1]
        else:
            self.versions.append(self.versions[to - 1])

    @precondition(lambda self: self.versions)
    @rule(days=DAYS)
    def retain(self, days: int) -> None:
        report = apply_retention(self.warehouse, now=_in(days))
        named = {versions[TABLE] for versions in self.names.values()}
        kept = {verdict.version for verdict in report.verdicts if not verdict.expires}
        assert named | {len(self.versions)} <= kept
        kept_files = [file for file in report.files if file.outcome != "dropped"]
        assert all("no smaller" in file.reason for file in kept_files), kept_files

    @precondition(lambda self: self.versions)
    @rule(days=DAYS, call=CALLS)
    def retain_and_be_killed(self, days: int, call: Call) -> None:
        self._kill(partial(_retain, days), call)

    @precondition(lambda self: self.versions)
    @rule(days=DAYS)
    def collect_garbage(self, days: int) -> None:
        sweep(self.warehouse, now=_in(days))

    @rule()
    def take_back_from_the_trash(self) -> None:
        for file in list(trashed(self.warehouse.store)):
            published = self.warehouse.store.path(layout.blob(file.sha256))
            assert fetch_from_trash(self.warehouse.store, file.sha256, published)

    @rule()
    def reject(self) -> None:
        set_aside(self.root)
        self.quarantined += 1

    @precondition(lambda self: self.quarantined)
    @rule()
    def discard_rejected(self) -> None:
        self.warehouse.quarantine.delete(self.warehouse.quarantine.entries()[0])
        self.quarantined -= 1

    @rule()
    def die_with_the_lock(self) -> None:
        leave_a_lock(self.root)

    @invariant()
    def everything_reads_back(self) -> None:
        seen = observe(self.root)
        assert seen.versions == ({TABLE: tuple(_rows(state) for state in self.versions)} if self.versions else {})
        assert seen.names == self.names
        assert seen.quarantined == self.quarantined

    def teardown(self) -> None:
        try:
            if self.versions:
                require_sound(self.root)
        finally:
            shutil.rmtree(self.folder)

    def _after(self, year: int, rows: int, ret: float) -> State:
        return {**(self.versions[-1] if self.versions else {}), year: (rows, ret)}

    def _kill(self, operation: Operation, call: Call) -> bool:
        # The crash may come later than the operation has calls of that name; then it is none.
        return kill(operation, self.root, call).acknowledgement == DONE


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_any_history_reads_back_as_the_model_says(torture: bool) -> None:
    require_strace()
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=150 if torture else 8,
            stateful_step_count=30 if torture else 15,
            derandomize=not torture,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _retain(days: int, root: Path) -> None:
    apply_retention(Warehouse(root), now=_in(days))


def _in(days: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def _rows(state: State) -> tuple[tuple[object, ...], ...]:
    parts = (batch(year, rows, ret) for year, (rows, ret) in sorted(state.items()))
    return tuple(tuple(row.values()) for part in parts for row in part.to_pylist())
