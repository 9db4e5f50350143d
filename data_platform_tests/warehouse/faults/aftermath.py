"""What must hold after any fault, looked at by somebody who knows nothing of the operation.

`observe` is what users can see of a warehouse; `require_sound` is what must be so whatever happened.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.verify import verify_table
from data_platform_tests.warehouse.faults.scenarios import TABLE, write

Rows = tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Visible:
    """All that users can see: every version's rows, the tags and pins with what they name, the quarantine."""

    versions: dict[str, tuple[Rows, ...]]
    names: dict[str, dict[str, int]]
    quarantined: int


def observe(root: Path) -> Visible:
    """Read everything: every version of every table, every name, every quarantine entry."""
    warehouse = Warehouse(root)
    return Visible(
        versions={table: rows for table in tables(root) if (rows := _history(warehouse, table))},
        names={f"{s.kind} {n.name}": n.versions for s in (warehouse.snapshots, warehouse.pins) for n in s.all()},
        quarantined=len(warehouse.quarantine.entries()),
    )


def require_sound(root: Path) -> None:
    """Every checksum right, no half file under a final name, and the next writer goes on at once."""
    warehouse = Warehouse(root)
    for table in tables(root):
        report = verify_table(warehouse.store, table)
        assert report.problems == (), report.problems
    for blob in _final_names(root / layout.BLOBS):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.stem, f"{blob} is half a file"
        assert blob.stat().st_mode & 0o777 == 0o444, f"{blob} can be written"
    for reason in (root / "quarantine").glob("*/[!.]*"):
        assert (reason / "reason.json").is_file(), f"{reason} is half an entry"
    require_next_writer(root)


def require_next_writer(root: Path) -> None:
    """Publish the next version, at once, whatever was left behind; the lock is free afterwards."""
    warehouse = Warehouse(root)
    before = warehouse.manifests(TABLE).latest_number()
    started = time.monotonic()
    published = write(root, 2024, rows=7, ret=time.time())
    assert published.manifest_version == before + 1
    assert time.monotonic() - started < 10, "the next writer had to wait"
    assert warehouse.reader(TABLE).pin().version == before + 1
    # A dead retention's own lock is no table's; the next retention takes it over.
    assert [state for state in warehouse.locks() if state.alive or state.table != "retention"] == []
    assert list(warehouse.staging_root.iterdir()) == [], "what the dead writer staged is still there"


def leftovers(root: Path) -> set[str]:
    """What an operation that ended in order must not leave behind: temporary and staged files."""
    temporary = [path for path in root.rglob("*") if path.name.startswith(".tmp-") or path.name.endswith("-new")]
    return {str(path.relative_to(root)) for path in [*temporary, *(root / "staging").glob("*")]}


def tables(root: Path) -> list[str]:
    """The tables of which anything is stored."""
    return sorted(path.parent.name for path in (root / layout.TABLES).glob("*/versions"))


def _history(warehouse: Warehouse, table: str) -> tuple[Rows, ...]:
    manifests = warehouse.manifests(table)
    numbers = manifests.numbers()
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    assert manifests.latest_number() == len(numbers)
    return tuple(_rows(warehouse, table, number) for number in numbers)


def _rows(warehouse: Warehouse, table: str, number: int) -> Rows:
    pinned = warehouse.reader(table).pin(number)
    rows = tuple(pinned.scan().collect().rows())
    assert len(rows) == pinned.row_count
    return rows


def _final_names(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".tmp-")]
