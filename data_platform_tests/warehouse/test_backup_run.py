"""Backups: what travels, what is found damaged, what a kill or a full disk leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_platform.errors import ChecksumMismatchError, DiskSpaceError, LockBusyError, UsageError
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.objects import is_plausible, object_key
from data_platform.warehouse.backup.running import Extras
from data_platform.warehouse.backup.sets import BackupSet, StoredFile
from data_platform.warehouse.manifest_form import documents_of
from data_platform.warehouse.verify import verify_table
from data_platform_tests.warehouse.backups import (
    Ended,
    EndingDestination,
    backups_at,
    dump_like,
    facts,
    filled,
    new_key,
    place,
    run,
)
from data_platform_tests.warehouse.frames import batch, publish

OUTSIDE = frozenset({"restored"})


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place(request.param, tmp_path)


def restored(backups: Backups, home: Path, set_id: str | None = None) -> Warehouse:
    backups.restore(backups.get(set_id), home, OUTSIDE)
    return Warehouse(home / "warehouse")


def stored_path(backups: Backups, url: str, sha256: str) -> Path:
    return Path(url.removeprefix("file://")) / object_key(backups.keyring.newest, sha256)


def spoil(path: Path) -> None:
    """Turn one byte in the middle over; the size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_what_was_backed_up_comes_back_byte_for_byte(url: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    dump = dump_like(tmp_path)
    report = run(backups, warehouse, extras=Extras((dump,), "owner"))
    back = restored(backups, tmp_path / "new")
    assert facts(back) == facts(warehouse)
    assert report.files == len(facts(warehouse)) + 1
    assert (tmp_path / "new" / "restored" / "platform.dump").read_bytes() == b"a dump"
    assert [verify_table(back.store, table).problems for table in back.tables()] == [(), ()]
    assert back.reader("t").pin().scan().collect().height == 6
    assert back.snapshots.get("paper").versions == {"t": 2, "u": 1}


def test_a_restored_table_takes_the_next_version(tmp_path: Path) -> None:
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, filled(tmp_path))
    back = restored(backups, tmp_path / "new")
    assert publish(back, "t", "2025", batch(2025)).manifest_version == 4


def test_only_what_is_new_travels(url: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    first = run(backups, warehouse)
    assert first.sent_files == first.files
    assert run(backups, warehouse).sent_files == 0
    publish(warehouse, "u", "2025", batch(2025))
    assert run(backups, warehouse).sent_files == 2  # the blob and the manifest
    assert run(backups, warehouse, "weekly").sent_files == 0


def test_nothing_at_the_place_shows_what_was_backed_up(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url = place("file", tmp_path)
    run(backups_at(url, tmp_path, new_key()), warehouse)
    stored = [path for path in (tmp_path / "place").rglob("*") if path.is_file()]
    assert len(stored) > 10
    for path in stored:
        assert b"permno" not in path.read_bytes()
        assert b"PAR1" not in path.read_bytes()
        assert "crsp" not in path.name


@pytest.mark.parametrize("harm", ["missing", "truncated"])
def test_a_weekly_run_sends_again_what_is_not_whole_at_the_place(harm: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url = place("file", tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    run(backups, warehouse)
    object_ = stored_path(backups, url, warehouse.manifests("u").load(1).files[0].sha256)
    if harm == "missing":
        object_.unlink()
    else:
        object_.write_bytes(object_.read_bytes()[:-1])
    with pytest.raises(ChecksumMismatchError, match="blobs/"):
        restored(backups, tmp_path / "broken")
    assert run(backups, warehouse, "daily").sent_files == 0
    assert run(backups, warehouse, "weekly").sent_files == 1
    assert facts(restored(backups, tmp_path / "new")) == facts(warehouse)


def test_a_damaged_file_is_not_sent_and_the_rest_is(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    key = layout.blob(warehouse.manifests("u").load(1).files[0].sha256)
    spoil(warehouse.store.path(key))
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    report = run(backups, warehouse)
    assert [finding.key for finding in report.findings] == [key]
    assert backups.get(None).missing == (key,)
    assert report.sent_files == len(facts(warehouse)) - 1
    back = restored(backups, tmp_path / "new")
    assert facts(back) == {name: data for name, data in facts(warehouse).items() if name != key}


@pytest.mark.parametrize(
    "key",
    [
        layout.version("t", 2),
        layout.schema("t", "1.0.0"),
        layout.snapshot("paper"),
        layout.pin("backtest-1"),
    ],
)
def test_a_file_that_is_damaged_later_stays_in_the_set_as_it_was(key: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    sound = facts(warehouse)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    spoil(warehouse.store.path(key))
    report = run(backups, warehouse)
    assert [finding.key for finding in report.findings] == [key]
    assert backups.get(None).missing == ()
    assert facts(restored(backups, tmp_path / "new")) == sound


@pytest.mark.parametrize("key", [layout.version("u", 1), layout.version("t", 3), layout.version("t", 2)])
def test_a_manifest_that_is_gone_or_damaged_takes_no_published_file_with_it(key: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    sound = facts(warehouse)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    spoil(warehouse.store.path(key))
    for _ in range(2):
        assert key in [finding.key for finding in run(backups, warehouse).findings]
    warehouse.store.delete(key)
    assert key in [finding.key for finding in run(backups, warehouse).findings]
    shutil.rmtree(warehouse.store.path("tables/u"))
    assert run(backups, warehouse).findings != ()
    assert facts(restored(backups, tmp_path / "new")) == sound


def test_a_manifest_in_parts_is_kept_with_its_parts(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    document, named = documents_of(warehouse.manifests("t").load(3), split_above=1)
    for part, data in named.items():
        assert warehouse.store.put_if_absent(part, data)
    warehouse.store.replace(layout.version("t", 3), document)
    sound = facts(warehouse)
    parts = [key for key in sound if "/parts/" in key]
    assert parts
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    assert run(backups, warehouse).findings == ()
    assert facts(restored(backups, tmp_path / "new")) == sound
    spoil(warehouse.store.path(parts[0]))
    warehouse.store.delete(parts[1])
    assert set(parts[:2]) <= {finding.key for finding in run(backups, warehouse).findings}
    assert facts(restored(backups, tmp_path / "newer")) == sound


def test_fetch_writes_the_newest_sound_copy(url: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    assert not backups.fetch(layout.version("t", 1), tmp_path / "x")
    run(backups, warehouse)
    for key, content in facts(warehouse).items():
        assert backups.fetch(key, tmp_path / "got")
        assert (tmp_path / "got").read_bytes() == content
    assert not backups.fetch(layout.version("t", 9), tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("harm", ["flipped", "emptied", "another", "gone"])
def test_a_bad_object_is_never_handed_out_and_is_named(harm: str, tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url = place("file", tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    run(backups, warehouse)
    first, second = warehouse.manifests("t").load(2).files
    object_ = stored_path(backups, url, first.sha256)
    if harm == "flipped":
        spoil(object_)
    elif harm == "emptied":
        object_.write_bytes(b"")
    elif harm == "another":
        object_.write_bytes(stored_path(backups, url, second.sha256).read_bytes())
    else:
        object_.unlink()
    with pytest.raises(ChecksumMismatchError, match=f"blobs/.*{first.sha256}"):
        backups.fetch(layout.blob(first.sha256), tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_a_damaged_index_is_named_and_the_next_run_does_without(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url = place("file", tmp_path)
    backups = backups_at(url, tmp_path, new_key())
    report = run(backups, warehouse)
    spoil(next((tmp_path / "place" / "sets").rglob("*.age")))
    again = backups_at(url, tmp_path, str(next(iter(backups.keyring)).identity))
    with pytest.raises(ChecksumMismatchError, match=report.set_id):
        again.get(None)
    second = run(again, warehouse)
    assert second.sent_files == 0
    assert [finding.key for finding in second.findings] == [report.set_id]
    assert facts(restored(again, tmp_path / "new")) == facts(warehouse)


def test_an_end_before_any_change_leaves_the_last_set_whole_and_the_next_run_completes(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    key = new_key()
    url = place("file", tmp_path)
    run(backups_at(url, tmp_path, key), warehouse)
    before = facts(warehouse)
    steps = 0
    while True:
        publish(warehouse, "t", "2024", batch(2024, ret=float(steps)))
        destination = EndingDestination.at(url)
        destination.end_before = steps
        backups = Backups(destination, backups_at(url, tmp_path, key).keyring, tmp_path)
        try:
            run(backups, warehouse)
        except Ended:
            steps += 1
        else:
            break
        home = tmp_path / f"after-{steps}"
        assert facts(restored(backups_at(url, tmp_path, key), home)) == before
    assert steps >= 3
    assert facts(restored(backups_at(url, tmp_path, key), tmp_path / "new")) == facts(warehouse)


KILLED = """
import os, signal, sys
from pathlib import Path
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.keys import parse_keyring
from data_platform.warehouse.backup.running import Extras
home, url, key, limit = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
sent = 0
def progress(size, total):
    global sent
    sent += size
    if sent >= limit:
        os.kill(os.getpid(), signal.SIGKILL)
backups = Backups(Destination.at(url), parse_keyring(key), home)
with backups.exclusive():
    backups.run(Warehouse(home / "warehouse"), "daily", Extras(), progress)
"""


def test_after_kill_9_in_the_middle_the_next_run_continues(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url, key = place("file", tmp_path), new_key()
    half = sum(map(len, facts(warehouse).values())) // 2
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), url, key, str(half)], check=False)
    assert done.returncode == -9
    backups = backups_at(url, tmp_path, key)
    assert backups.names() == []
    assert len(list((tmp_path / "place" / "tmp").iterdir())) == 1
    report = run(backups, warehouse)
    assert 0 < report.sent_files < report.files
    assert list((tmp_path / "place" / "tmp").iterdir()) == []
    assert facts(restored(backups, tmp_path / "new")) == facts(warehouse)


FULL = """
import resource, signal, sys
from pathlib import Path
from data_platform.errors import DiskSpaceError
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup.backups import Backups
from data_platform.warehouse.backup.destination import Destination
from data_platform.warehouse.backup.keys import parse_keyring
from data_platform.warehouse.backup.running import Extras
home, url, key = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
backups = Backups(Destination.at(url), parse_keyring(key), home)
with backups.exclusive():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))
    try:
        backups.run(Warehouse(home / "warehouse"), "daily", Extras())
    except DiskSpaceError as error:
        print(error.message)
"""


def test_a_full_place_is_one_clear_error_and_leaves_no_half_object(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    url, key = place("file", tmp_path), new_key()
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path), url, key], capture_output=True, check=True)
    assert done.stdout.decode().startswith("No space left at the place of the backups, file:///")
    backups = backups_at(url, tmp_path, key)
    assert backups.names() == []
    run(backups, warehouse)
    assert facts(restored(backups, tmp_path / "new")) == facts(warehouse)


def test_two_backups_of_one_home_do_not_run_at_once(tmp_path: Path) -> None:
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    with backups.exclusive(), pytest.raises(LockBusyError), backups.exclusive():
        pass


def test_a_sweep_waits_for_a_running_backup(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    refused = 0

    def progress(_size: int, _total: int) -> None:
        nonlocal refused
        with pytest.raises(LockBusyError), warehouse.sweeping.exclusive(wait_seconds=0):
            pass
        refused += 1

    with backups.exclusive():
        backups.run(warehouse, "daily", Extras(), progress)
    assert refused > 0


def test_what_is_published_during_a_backup_is_in_it_whole_or_not_at_all(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    year = iter(range(1990, 2020))

    def progress(_size: int, _total: int) -> None:
        publish(warehouse, "v", str(current := next(year)), batch(current))

    with backups.exclusive():
        backups.run(warehouse, "daily", Extras(), progress)
    back = restored(backups, tmp_path / "new")
    assert back.tables() == ["t", "u"]
    run(backups, warehouse)
    again = restored(backups, tmp_path / "newer")
    assert verify_table(again.store, "v").problems == ()
    assert facts(again) == facts(warehouse)


def test_unknown_sets_and_empty_places_are_usage_errors(tmp_path: Path) -> None:
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    with pytest.raises(UsageError, match="no backup at file://"):
        backups.get(None)
    with pytest.raises(UsageError, match="no backup 'x'"):
        backups.get("x")


@pytest.mark.parametrize("key", ["../x", "a/../b", "/etc/passwd", "a//b", "a/./b", "", "a\\b", "a/.."])
def test_a_key_that_leads_out_of_the_home_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        StoredFile(key=key, sha256="0" * 64, bytes=1, stored_bytes=1)


def test_an_index_whose_content_was_changed_is_refused() -> None:
    backup = BackupSet(
        id="20260101T000000000000Z-daily",
        kind="daily",
        created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        platform_version="1",
        recipient="age1",
        records_owner=None,
        files=(),
    )
    assert BackupSet.from_bytes(backup.to_bytes(), set_id=backup.id) == backup
    for bad in (backup.to_bytes().replace(b"2026", b"2027"), backup.to_bytes()[:-2], b"", b"[]"):
        with pytest.raises(ChecksumMismatchError, match=backup.id):
            BackupSet.from_bytes(bad, set_id=backup.id)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
def test_the_size_of_a_whole_object_is_plausible_and_of_a_truncated_one_not(size: int, tmp_path: Path) -> None:
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    content = bytes(size)
    dump = dump_like(tmp_path, content)
    report = run(backups, Warehouse(tmp_path / "warehouse"), extras=Extras((dump,)))
    assert report.sent_bytes == size
    stored = backups.get(None).files[0].stored_bytes
    assert dump.sha256 == hashlib.sha256(content).hexdigest()
    assert is_plausible(size, stored)
    assert not is_plausible(size, stored - 400)
    assert not is_plausible(size, stored + 900)


def test_restoring_refuses_a_volume_that_is_too_small(tmp_path: Path) -> None:
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, filled(tmp_path))
    backup = backups.get(None)
    huge = backup.files[0].model_copy(update={"bytes": 2**60})
    with pytest.raises(DiskSpaceError, match="Not enough room"):
        backups.restore(backup.model_copy(update={"files": (huge,)}), tmp_path / "new", OUTSIDE)


def test_restored_parquet_reads_with_any_reader(tmp_path: Path) -> None:
    warehouse = filled(tmp_path)
    backups = backups_at(place("file", tmp_path), tmp_path, new_key())
    run(backups, warehouse)
    back = restored(backups, tmp_path / "new")
    for path, original in zip(back.reader("t").pin().files, warehouse.reader("t").pin().files, strict=True):
        assert pq.read_table(path).equals(pq.read_table(original))
        assert path.stat().st_mode & 0o222 == 0
