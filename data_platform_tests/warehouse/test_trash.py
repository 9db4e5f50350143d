"""The trash: whoever looks into it while it is emptied finds a file or none, and never an error."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.retention.applying import apply_retention
from data_platform.warehouse.retention.sweep import plan_sweep
from data_platform.warehouse.trash import delete_trashed, fetch_from_trash, move_to_trash, new_run, trashed
from data_platform_tests.warehouse.changing import LATER, TABLE, publish_rows


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse with three versions of one table, of which the first two have expired at `LATER`."""
    warehouse = Warehouse(tmp_path / "warehouse")
    for seed in range(3):
        publish_rows(warehouse, seed)
    return warehouse


def test_a_trash_that_is_emptied_while_it_is_looked_through_holds_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    apply_retention(warehouse, now=LATER)
    publish_rows(warehouse, 3)
    apply_retention(warehouse, now=LATER)
    looking = trashed(warehouse.store)
    first = next(looking)
    for run in (warehouse.root / layout.TRASH).iterdir():
        if run != first.path.parent:
            shutil.rmtree(run)
    assert {item.path.parent for item in looking} <= {first.path.parent}
    # A name that was there when the folder was read, and leads nowhere when it is opened.
    first.path.unlink()
    first.path.symlink_to(tmp_path / "nothing")
    assert not fetch_from_trash(warehouse.store, first.sha256, tmp_path / "copy")
    assert plan_sweep(warehouse, now=LATER + dt.timedelta(days=8)).dry_run
    assert sorted(path.name for path in tmp_path.iterdir()) == ["warehouse"]


READER = """
import sys
from pathlib import Path
from data_platform.warehouse import Warehouse
from data_platform.warehouse.trash import fetch_from_trash, trashed

warehouse, sha256, target = Warehouse(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3])
print("ready", flush=True)
found = 0
while not (warehouse.root / "done").exists():
    list(trashed(warehouse.store))
    found += fetch_from_trash(warehouse.store, sha256, target)
print(found)
"""


def test_looking_into_the_trash_beside_its_emptying_is_never_an_error(warehouse: Warehouse, tmp_path: Path) -> None:
    sha256 = warehouse.manifests(TABLE).load(1).files[0].sha256
    content = warehouse.store.get(layout.blob(sha256))
    arguments = [sys.executable, "-c", READER, str(warehouse.root), sha256, str(tmp_path / "copy")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            warehouse.store.put_if_absent(layout.blob(sha256), content)
            move_to_trash(warehouse.store, sha256, new_run(LATER))
            for item in trashed(warehouse.store):
                delete_trashed(item)
        (warehouse.root / "done").touch()
        assert int(reader.stdout.read()) > 0
    assert reader.returncode == 0
    assert (tmp_path / "copy").read_bytes() == content
