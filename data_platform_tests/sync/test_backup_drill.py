"""A home that is lost and comes back: warehouse, records, secrets; and the drill that proves it beforehand."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from data_platform.errors import ChecksumMismatchError, LockBusyError, UsageError
from data_platform.governance.audit_key import open_cipher
from data_platform.records import chain, platform_audit, query_audit, users
from data_platform.records.chain_check import text_digest
from data_platform.records.connection import Records, open_records
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import open_embedded
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.sync.backing_up import back_up, rotate_key
from data_platform.sync.drill import check_table, drill, judge_times, query_file
from data_platform.sync.restoring_home import require_whole_chains, restore_home
from data_platform.warehouse import Warehouse
from data_platform.warehouse.backup import Backups, open_backups
from data_platform_tests.folders import short_folder
from data_platform_tests.warehouse.backups import facts, filled, new_key
from data_platform_tests.warehouse.frames import batch, publish

EVERYTHING = Scope.system("tests")
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Home:
    """A home with rows, accounts and an audited query; its records stay open for the module."""

    settings: Settings
    warehouse: Warehouse
    records: Records

    @property
    def backups(self) -> Backups:
        return open_backups(self.settings)

    def back_up(self) -> str:
        report = back_up(
            self.settings, self.warehouse, self.records, self.backups, "daily", user="root", progress=unwatched
        )
        assert report.findings == ()
        return report.set_id


def unwatched(_size: int, _total: int) -> None:
    return


@pytest.fixture(scope="module")
def live() -> Iterator[Home]:
    folder = short_folder()
    settings = Settings(home=folder / "h", backup_key=SecretStr(new_key()))
    warehouse = filled(settings.home)
    with open_records(settings) as records:
        with records.transaction(EVERYTHING) as connection:
            users.add(connection, "ann", "analyst")
        cipher = open_cipher(settings)
        text = SealedText("0" * 64, text_digest("SELECT 1"), cipher.encrypt("SELECT 1"))
        query_audit.record_attempt(records, "ann", "crsp", 1, text, None, QUERIES)
        with psycopg.connect(records.databases.dagster_url) as connection:
            connection.execute("CREATE TABLE runs AS SELECT 7 AS run")
        yield Home(settings, warehouse, records)
    shutil.rmtree(folder, ignore_errors=True)


def audited(records: Records) -> list[tuple[str, str | None]]:
    with records.transaction(EVERYTHING) as connection:
        return [(entry.action, entry.subject) for entry in platform_audit.recent(connection)]


def test_a_lost_home_comes_back_with_records_that_work(live: Home, home: Path) -> None:
    set_id = live.back_up()
    assert audited(live.records)[0] == ("backup.run", set_id)
    into = home / "new"
    restored = restore_home(live.settings, live.backups, live.backups.get(None), into, user="root", progress=unwatched)
    assert restored.findings == ()
    assert restored.load_command is None
    assert restored.noted
    assert audited(live.records)[0] == ("backup.restore", set_id)
    assert sorted(path.name for path in into.iterdir()) == ["postgres", "secrets", "warehouse"]
    assert [path.name for path in home.iterdir()] == ["new"]
    assert facts(Warehouse(into / "warehouse")) == facts(live.warehouse)
    assert (into / "secrets").stat().st_mode & 0o077 == 0
    settings = live.settings.model_copy(update={"home": into})
    with open_records(settings) as records:
        with records.transaction(EVERYTHING) as connection:
            text = query_audit.recent(connection)[0].query_text
            assert text is not None
            assert open_cipher(settings).decrypt(text) == "SELECT 1"
            users.set_role(connection, "ann", "viewer")
        with records.transaction(Scope("bob", frozenset())) as connection:
            assert list(users.every(connection)) == []
        assert [action for action, _ in audited(records)[:2]] == ["users.set_role", "backup.restore"]
        assert require_whole_chains(records, settings.home)[chain.PLATFORM_AUDIT.table] >= 3
        with psycopg.connect(records.databases.dagster_url) as connection:
            assert connection.execute("SELECT run FROM runs").fetchall() == [(7,)]


def test_a_drill_passes_measures_and_is_noted(live: Home) -> None:
    killed = [live.settings.home / "backups" / name for name in ("work-1", "drill-1")]
    for folder in killed:
        (folder / "h").mkdir(parents=True)
        (folder / "h" / "plain").write_text("left behind")
    set_id = live.back_up()
    report = drill(
        live.settings,
        live.warehouse,
        live.records,
        live.backups,
        user="root",
        progress=unwatched,
        point_limit=dt.timedelta(0),
    )
    assert report.set_id == set_id
    assert report.failures == ("the newest backup is 0.0 hours old; at most 0.0 hours are allowed",)
    assert [(table.table, table.versions, table.files, table.rows) for table in report.tables] == [
        ("t", 3, 3, 9),
        ("u", 1, 1, 5),
    ]
    assert sum(table.compared_versions for table in report.tables) == 4
    assert report.records[chain.QUERY_AUDIT.table] == 1
    assert 0 < report.recovery_time_hours < report.recovery_time_limit_hours
    folder = live.settings.home / "backups"
    kept = sorted((folder / "drills").iterdir())[-1]
    assert json.loads(kept.read_text())["failures"] == list(report.failures)
    assert list(folder.glob("drill-*")) + list(folder.glob("work-*")) == []
    assert audited(live.records)[0] == ("backup.drill", set_id)


def test_a_drill_of_a_damaged_backup_fails_and_names_the_object(live: Home) -> None:
    live.back_up()
    backup = live.backups.get(None)
    key = next(file.key for file in backup.files if file.key.startswith("blobs/"))
    found = backup.find(key)
    assert found is not None
    (stored,) = (live.settings.home / "backups" / "objects").rglob(f"{found.sha256}.age")
    sound = stored.read_bytes()
    try:
        stored.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        report = drill(live.settings, live.warehouse, live.records, live.backups, user="root", progress=unwatched)
    finally:
        stored.write_bytes(sound)
    assert not report.passed
    assert key in report.failures[0]
    assert found.sha256 in report.failures[0]


def test_a_restore_that_was_killed_leaves_no_home_and_the_next_one_completes(live: Home, home: Path) -> None:
    live.back_up()
    into = home / "new"
    program = (
        "import os, signal, sys; from pathlib import Path; from data_platform.settings import Settings\n"
        "from data_platform.sync.restoring_home import restore_home\n"
        "from data_platform.warehouse.backup import open_backups\n"
        "settings = Settings(); backups = open_backups(settings); backup = backups.get(None); got = 0\n"
        "def progress(size, total):\n"
        "    global got\n"
        "    got += size\n"
        "    if got > total // 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "restore_home(settings, backups, backup, Path(sys.argv[1]), user='root', progress=progress)\n"
    )
    assert live.settings.backup_key is not None
    environment = {
        "DATA_PLATFORM_HOME": str(live.settings.home),
        "DATA_PLATFORM_BACKUP_KEY": live.settings.backup_key.get_secret_value(),
    }
    done = subprocess.run([sys.executable, "-c", program, str(into)], env=environment, check=False)
    assert done.returncode == -9
    assert not into.exists()
    own_server = live.settings.model_copy(update={"postgres_url": SecretStr("postgresql://me@nowhere/x")})
    restored = restore_home(own_server, live.backups, live.backups.get(None), into, user="root", progress=unwatched)
    assert facts(Warehouse(into / "warehouse")) == facts(live.warehouse)
    assert [path.name for path in home.iterdir()] == ["new"]
    assert not restored.noted
    # The records belong to a server that is the user's: the dumps wait, and the command that loads them is told.
    assert restored.load_command is not None
    assert (into / "restored" / "platform.dump").read_bytes().startswith(b"PGDMP")
    assert str(into / "restored" / "platform.dump") in restored.load_command


def test_a_restore_never_touches_a_folder_that_holds_something(live: Home, home: Path) -> None:
    live.back_up()
    (home / "full").mkdir()
    (home / "full" / "file").write_text("mine")
    backup = live.backups.get(None)
    for into in (home / "full", home / "full" / "file"):
        with pytest.raises(UsageError, match="not an empty folder"):
            restore_home(live.settings, live.backups, backup, into, user="root", progress=unwatched)
    assert [path.name for path in (home / "full").iterdir()] == ["file"]


def test_two_restores_into_one_folder_do_not_meet(live: Home, home: Path) -> None:
    live.back_up()
    settings = live.settings.model_copy(update={"postgres_url": SecretStr("postgresql://me@nowhere/x")})
    refused: list[str] = []

    def progress(_size: int, _total: int) -> None:
        if not refused:
            with pytest.raises(LockBusyError) as caught:
                restore_home(
                    settings, live.backups, live.backups.get(None), home / "new", user="root", progress=unwatched
                )
            refused.append(caught.value.message)

    restore_home(settings, live.backups, live.backups.get(None), home / "new", user="root", progress=progress)
    assert refused == [f"Another restore into {home} is at work."]


def test_a_broken_audit_chain_is_found(records: Records, postgres_home: Path) -> None:
    with records.transaction(EVERYTHING) as connection:
        users.add(connection, "ann", "analyst")
        users.add(connection, "bob", "analyst")
    assert require_whole_chains(records, postgres_home)[chain.PLATFORM_AUDIT.table] == 2
    name = str(psycopg.conninfo.conninfo_to_dict(records.databases.owner_url)["dbname"])
    with open_embedded(postgres_home) as server, psycopg.connect(server.url(SUPERUSER, name)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE platform.platform_audit SET subject = 'eve' WHERE id = 2")
    with pytest.raises(ChecksumMismatchError, match="platform_audit does not hold: row 2"):
        require_whole_chains(records, postgres_home)


def test_a_rotation_is_noted_with_the_keys_name_only(live: Home) -> None:
    live.back_up()
    assert live.settings.backup_key is not None
    old, new = live.settings.backup_key.get_secret_value(), new_key()
    url = SecretStr(f"file://{live.settings.home}/rotated")
    shutil.copytree(live.settings.home / "backups", live.settings.home / "rotated")
    settings = live.settings.model_copy(update={"backup_key": SecretStr(f"{new},{old}"), "backup_url": url})
    backups = open_backups(settings)
    assert rotate_key(live.records, backups, user="root", progress=unwatched).findings == ()
    with live.records.transaction(EVERYTHING) as connection:
        entry = platform_audit.recent(connection)[0]
    assert (entry.action, entry.subject) == ("backup.rotate", backups.keyring.newest.name)
    assert "AGE-SECRET" not in str(entry)


@pytest.mark.parametrize(
    ("age", "took", "missed"),
    [
        (24 * HOUR, 4 * HOUR, []),
        (24.1 * HOUR, HOUR, ["24.1 hours old"]),
        (HOUR, 4.1 * HOUR, ["restoring took 4.1 hours"]),
        (30 * HOUR, 5 * HOUR, ["30.0 hours old", "restoring took 5.0 hours"]),
    ],
)
def test_the_limits_are_24_hours_of_loss_and_4_of_restoring(
    age: dt.timedelta, took: dt.timedelta, missed: list[str]
) -> None:
    failures = judge_times(age, took, 24 * HOUR, 4 * HOUR)
    assert len(failures) == len(missed)
    assert all(part in failure for part, failure in zip(missed, failures, strict=True))


def test_the_drill_tells_versions_that_differ_from_the_live_ones(tmp_path: Path) -> None:
    one, other = Warehouse(tmp_path / "one"), Warehouse(tmp_path / "other")
    for warehouse, ret in ((one, 0.01), (other, 0.02)):
        publish(warehouse, "crsp_daily", "2024", batch(2024, ret=ret))
    publish(other, "crsp_daily", "2023", batch(2023))
    checked = check_table(one, other, "crsp_daily")
    assert checked.problems == ("version 1 differs from the live warehouse's",)
    assert checked.compared_versions == 1
    assert check_table(other, one, "crsp_daily").versions == 2


def test_the_drill_tells_rows_and_dates_that_are_not_those_published(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    entry = publish(warehouse, "crsp_daily", "2024", batch(2024)).files[0]
    (path,) = warehouse.reader("crsp_daily").pin().files
    assert query_file(path, entry, "date") is None
    for wrong in ({"rows": 4}, {"max_date": dt.date(2024, 12, 31)}, {"min_date": dt.date(2024, 1, 1)}):
        said = query_file(path, entry.model_copy(update=wrong), "date")
        assert said is not None
        assert "rows or dates" in said
    path.chmod(0o600)
    path.write_bytes(b"PAR1 nothing PAR1")
    assert query_file(path, entry, "date") is not None
