"""Publishing, reading a pinned version, and verifying what is stored."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from data_platform.errors import ChecksumMismatchError, Fenced, SchemaError, UsageError
from data_platform.warehouse import FileCheck, Warehouse, layout
from data_platform.warehouse.publish import heal_blob
from data_platform.warehouse.reader import NoDataError
from data_platform.warehouse.sealed import seal
from data_platform.warehouse.verify import published_bytes, verify_table
from data_platform_tests.warehouse.frames import SCHEMA, batch, publish, staged


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def test_versions_are_consecutive_and_earlier_ones_stay_readable(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2024", batch(2024, rows=5))
    third = publish(warehouse, "t", "2023", batch(2023, ret=0.5))
    assert [m.manifest_version for m in warehouse.manifests("t")] == [1, 2, 3]
    assert third.row_count == 8
    assert third.changed_partitions == ("2023",)
    assert warehouse.reader("t").pin(1).scan().collect().get_column("ret").to_list() == [0.01] * 3
    latest = warehouse.reader("t").pin()
    assert latest.version == 3
    assert latest.scan().filter(pl.col("date") < dt.date(2024, 1, 1)).collect().get_column("ret").unique().item() == 0.5


def test_a_warning_stays_with_its_file_until_it_is_replaced(warehouse: Warehouse) -> None:
    warned = FileCheck(
        validation_type="row_count", status="warning", expected="3", actual="2", message="one is missing"
    )
    assert publish(warehouse, "t", "2023", checks=(warned,)).validation_status == "warning"
    second = publish(warehouse, "t", "2024")
    assert second.validation_status == "warning"
    assert [entry.checks[0].status for entry in second.files] == ["warning", "passed"]
    assert publish(warehouse, "t", "2023", batch(2023, ret=0.7)).validation_status == "passed"


def test_each_version_names_the_one_before(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2023")
    second = publish(warehouse, "t", "2024")
    assert first.previous_checksum is None
    assert second.previous_checksum == first.checksum


def test_a_reader_is_undisturbed_by_publishing(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2024")
    pinned = warehouse.reader("t").pin()
    before = pinned.scan().collect()
    publish(warehouse, "t", "2024", batch(2024, ret=9.0))
    assert pinned.scan().collect().equals(before)


def test_a_lagging_or_damaged_hint_does_not_hide_the_latest(warehouse: Warehouse) -> None:
    for year in ("2022", "2023", "2024"):
        publish(warehouse, "t", year)
    for hint in (b"1", b"", b"junk", b"99"):
        warehouse.store.replace(layout.latest_hint("t"), hint)
        assert warehouse.manifests("t").latest_number() == 3


def test_reading_prunes_by_partition_and_date(warehouse: Warehouse) -> None:
    for year in ("2022", "2023", "2024"):
        publish(warehouse, "t", year)
    pinned = warehouse.reader("t").pin()
    assert len(pinned.paths()) == 3
    assert len(pinned.paths(partitions=frozenset({"2023"}))) == 1
    assert len(pinned.paths(start=dt.date(2023, 1, 4))) == 2
    assert len(pinned.paths(start=dt.date(2023, 6, 1), end=dt.date(2023, 12, 31))) == 0


def test_no_data_and_no_such_version_say_so(warehouse: Warehouse) -> None:
    with pytest.raises(NoDataError, match="No data available"):
        warehouse.reader("t").pin()
    publish(warehouse, "t")
    with pytest.raises(UsageError, match="no version 7"):
        warehouse.reader("t").pin(7)


def test_a_second_publish_on_the_same_base_is_fenced(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t")
    with warehouse.lock("t").acquire() as lock, pytest.raises(Fenced):
        warehouse.manifests("t").publish(lock, 0, lambda number: first.model_copy(update={"manifest_version": number}))
    assert warehouse.manifests("t").numbers() == [1]


def test_a_column_that_goes_away_is_refused_and_nothing_is_published(warehouse: Warehouse) -> None:
    publish(warehouse, "t")
    shrunk = SCHEMA.remove(SCHEMA.get_field_index("ret"))
    with pytest.raises(SchemaError, match="ret is gone"):
        publish(warehouse, "t", "2023", batch(2023).select(["permno", "date"]), schema=shrunk)
    assert warehouse.manifests("t").numbers() == [1]
    assert warehouse.locks() == []


@pytest.mark.parametrize("newer", ["2022", "2024"])
def test_an_older_file_reads_as_null_where_it_lacks_a_new_column(warehouse: Warehouse, newer: str) -> None:
    publish(warehouse, "t", "2023")
    wider = SCHEMA.append(pa.field("vol", pa.float64()))
    rows = batch(int(newer)).append_column("vol", pa.array([7.0] * 3))
    assert publish(warehouse, "t", newer, rows, schema=wider).schema_version == "1.1.0"
    frame = warehouse.reader("t").pin().scan().collect()
    assert frame.columns == ["permno", "date", "ret", "vol"]
    assert sorted(frame.get_column("vol").to_list(), key=str) == [7.0, 7.0, 7.0, None, None, None]


def test_a_hint_that_cannot_be_written_does_not_undo_the_commit(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2023")
    hint = warehouse.store.path(layout.latest_hint("t"))
    hint.unlink()
    hint.mkdir()  # whatever the reason: the name cannot be replaced
    assert publish(warehouse, "t", "2024").manifest_version == 2
    hint.rmdir()
    assert warehouse.manifests("t").latest_number() == 2


def test_a_manifest_in_anothers_place_is_not_taken_for_it(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2023")
    publish(warehouse, "u", "2023")
    first = warehouse.store.get(layout.version("t", 1))
    warehouse.store.put_if_absent(layout.version("t", 2), first)
    with pytest.raises(ChecksumMismatchError, match="is that of t version 1"):
        warehouse.manifests("t").latest()
    warehouse.store.replace(layout.version("u", 1), first)
    with pytest.raises(ChecksumMismatchError, match="is that of t version 1"):
        warehouse.reader("u").pin()
    assert [problem.kind for problem in verify_table(warehouse.store, "t").problems] == ["manifest"]


def test_a_version_that_does_not_follow_the_one_before_is_found(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse, "t", "2023")
    other = Warehouse(tmp_path / "other")
    publish(other, "t", "2022")
    publish(other, "t", "2023")
    warehouse.store.put_if_absent(layout.version("t", 2), other.store.get(layout.version("t", 2)))
    kinds = {problem.kind for problem in verify_table(warehouse.store, "t").problems}
    assert "broken_chain" in kinds


def test_a_changed_byte_in_a_manifest_is_found(warehouse: Warehouse) -> None:
    publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2024")
    path = warehouse.store.path(layout.version("t", 2))
    content = path.read_text()
    path.write_text(content.replace('"row_count": 6', '"row_count": 7'))
    with pytest.raises(ChecksumMismatchError, match="its content has changed"):
        warehouse.manifests("t").latest()
    assert warehouse.reader("t").pin(1).row_count == 3
    report = verify_table(warehouse.store, "t")
    assert [(p.kind, p.versions) for p in report.problems] == [("manifest", (2,))]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sync_timestamp", "2024-01-01T00:00:00+02:00", "not UTC"),
        ("start_date", "2031-01-01", "span the files"),
        ("row_count", 4, "sum over the files"),
        ("checksum", "0" * 64, "does not match the files"),
        ("files", [], "at least 1 item"),
        ("manifest_version", 0, "greater than or equal to 1"),
    ],
)
def test_a_manifest_that_breaks_an_invariant_does_not_load(
    warehouse: Warehouse, field: str, value: object, message: str
) -> None:
    broken = publish(warehouse, "t").model_dump(mode="json")
    broken[field] = value
    warehouse.store.replace(layout.version("t", 1), seal(broken, "manifest_sha256"))
    with pytest.raises(ChecksumMismatchError, match=message):
        warehouse.manifests("t").load(1)


def test_verify_names_damaged_and_missing_files_and_who_needs_them(warehouse: Warehouse) -> None:
    first = publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2024")
    publish(warehouse, "t", "2024", batch(2024, ret=2.0))
    sound = verify_table(warehouse.store, "t")
    assert (sound.versions_checked, sound.files_checked, sound.problems) == (3, 3, ())
    assert sound.bytes_checked == published_bytes(warehouse.store, "t")
    blob = warehouse.store.path(layout.blob(first.files[0].sha256))
    blob.chmod(0o600)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    problem = verify_table(warehouse.store, "t").problems[0]
    assert (problem.kind, problem.partition, problem.versions) == ("changed_file", "2023", (1, 2, 3))
    blob.unlink()
    assert verify_table(warehouse.store, "t").problems[0].kind == "missing_file"
    with pytest.raises(ChecksumMismatchError, match="partition 2023: the stored file is gone"):
        warehouse.reader("t").pin().paths()
    assert len(warehouse.reader("t").pin().paths(partitions=frozenset({"2024"}))) == 1


def test_a_missing_manifest_is_a_gap(warehouse: Warehouse) -> None:
    for year in ("2022", "2023", "2024"):
        publish(warehouse, "t", year)
    warehouse.store.delete(layout.version("t", 2))
    assert [(p.kind, p.versions) for p in verify_table(warehouse.store, "t").problems] == [("version_gap", (2,))]


def test_healing_puts_the_true_bytes_back(warehouse: Warehouse) -> None:
    manifest = publish(warehouse, "t")
    blob = warehouse.store.path(layout.blob(manifest.files[0].sha256))
    blob.chmod(0o600)
    blob.write_bytes(b"rotten")
    again = staged(warehouse.staging_root / "again", batch())
    assert again.sha256 == manifest.files[0].sha256
    assert heal_blob(warehouse.store, again, manifest.files[0])
    assert verify_table(warehouse.store, "t").problems == ()
    third = staged(warehouse.staging_root / "third", batch())
    assert not heal_blob(warehouse.store, third, manifest.files[0])


def test_several_processes_publish_without_losing_anything(warehouse: Warehouse) -> None:
    program = """
import sys
from pathlib import Path
from data_platform.warehouse import Warehouse
from data_platform_tests.warehouse.frames import batch, publish
warehouse, name = Warehouse(Path(sys.argv[1])), int(sys.argv[2])
for round in range(6):
    manifest = publish(warehouse, "t", str(2000 + name), batch(2000 + name, rows=1 + round))
    print(manifest.manifest_version, flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(warehouse.root), str(number)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(3)
    ]
    acknowledged = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(acknowledged) == list(range(1, 19))
    latest = warehouse.reader("t").pin()
    assert latest.row_count == 18
    assert latest.scan().collect().height == 18
    assert verify_table(warehouse.store, "t").problems == ()
