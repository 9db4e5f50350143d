"""Keys of backups: what is accepted, rotation, and what is left of an old key."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from data_platform.errors import ConfigurationError
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.backup import open_backups
from data_platform.warehouse.backup.backups import Backups, is_due
from data_platform.warehouse.backup.keys import make_key, parse_keyring
from data_platform.warehouse.backup.objects import object_key
from data_platform.warehouse.backup.rotating import birth_key
from data_platform_tests.warehouse.backups import (
    Ended,
    EndingDestination,
    backups_at,
    facts,
    filled,
    new_key,
    place,
    run,
)
from data_platform_tests.warehouse.frames import batch, publish

SECRET = "AGE-SECRET-KEY-1" + "Q" * 58


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "DATA_PLATFORM_BACKUP_KEY is not set"),
        ("", "DATA_PLATFORM_BACKUP_KEY is not set"),
        (" , ,", "DATA_PLATFORM_BACKUP_KEY is not set"),
        (SECRET, "DATA_PLATFORM_BACKUP_KEY: key 1 of 1"),
        ("age1abc", "DATA_PLATFORM_BACKUP_KEY: key 1 of 1"),
        (f"{make_key()[0]},{SECRET}", "DATA_PLATFORM_BACKUP_KEY: key 2 of 2"),
        (make_key()[1].recipient, "DATA_PLATFORM_BACKUP_KEY: key 1 of 1"),
    ],
    ids=["unset", "empty", "commas", "made up", "cut short", "second of two", "a recipient"],
)
def test_a_key_that_is_none_is_named_by_its_variable_and_never_repeated(text: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        parse_keyring(text)
    assert "new-key" in str(caught.value)
    for word in (text or "").split(","):
        assert len(word) < 5 or word not in str(caught.value)


def test_several_keys_newest_first_and_each_once() -> None:
    first, second = make_key(), make_key()
    ring = parse_keyring(f"{first[0]}, {second[0]}\n,{first[0]}")
    assert [key.recipient for key in ring] == [first[1].recipient, second[1].recipient]
    assert ring.newest.name == first[1].name
    assert first[0] not in repr(ring)


def test_the_settings_keep_key_and_url_to_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    monkeypatch.setenv("DATA_PLATFORM_BACKUP_KEY", key)
    monkeypatch.setenv("DATA_PLATFORM_BACKUP_URL", "memory://user:hidden@place")
    settings = Settings(home=tmp_path)
    assert key not in repr(settings)
    assert "hidden" not in repr(settings)
    assert "hidden" not in open_backups(settings).place


def test_the_place_is_in_the_home_unless_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PLATFORM_BACKUP_KEY", new_key())
    assert open_backups(Settings(home=tmp_path)).place == f"file://{tmp_path}/backups"


def test_another_key_opens_nothing_and_says_which_is_needed(tmp_path: Path) -> None:
    url, used = place("file", tmp_path), make_key()
    run(backups_at(url, tmp_path, used[0]), filled(tmp_path))
    other = backups_at(url, tmp_path, new_key())
    for attempt in (other.names, lambda: other.get(None), lambda: other.fetch("x", tmp_path / "x")):
        with pytest.raises(ConfigurationError, match=f"another key \\({used[1].name}\\).*DATA_PLATFORM_BACKUP_KEY"):
            attempt()


@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_after_a_rotation_the_old_key_is_not_needed_and_nothing_is_left_under_it(protocol: str, tmp_path: Path) -> None:
    url, old, new = place(protocol, tmp_path), new_key(), new_key()
    warehouse = filled(tmp_path)
    first = run(backups_at(url, tmp_path, old), warehouse)
    before = facts(warehouse)
    publish(warehouse, "u", "2025", batch(2025))
    run(backups_at(url, tmp_path, old), warehouse)
    both = backups_at(url, tmp_path, new, old)
    report = both.rotate()
    assert report.findings == ()
    assert (report.objects, report.sets) == (len(facts(warehouse)), 2)
    after = backups_at(url, tmp_path, new)
    assert {name.key_name for name in after.names()} == {after.keyring.newest.name}
    for set_id, expected in ((first.set_id, before), (None, facts(warehouse))):
        home = tmp_path / f"new-{set_id}"
        after.restore(after.get(set_id), home, frozenset())
        assert facts(Warehouse(home / "warehouse")) == expected
    with pytest.raises(ConfigurationError, match="another key"):
        backups_at(url, tmp_path, old).names()
    assert run(after, warehouse, "weekly").sent_files == 0
    again = backups_at(url, tmp_path, new, old).rotate()
    assert (again.objects, again.sets, again.replaced_keys) == (0, 0, ())


def test_a_rotation_ended_before_any_change_loses_nothing_and_is_continued(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    warehouse = Warehouse(tmp_path / "warehouse")
    publish(warehouse)
    run(backups_at(f"file://{tmp_path}/original", tmp_path, old), warehouse)
    steps = 0
    while True:
        url = f"file://{tmp_path}/copy-{steps}"
        shutil.copytree(tmp_path / "original", tmp_path / f"copy-{steps}")
        destination = EndingDestination.at(url)
        destination.end_before = steps
        try:
            Backups(destination, parse_keyring(f"{new},{old}"), tmp_path).rotate()
        except Ended:
            steps += 1
        else:
            break
        both = backups_at(url, tmp_path, new, old)
        both.restore(both.get(None), tmp_path / f"both-{steps}", frozenset())
        assert facts(Warehouse(tmp_path / f"both-{steps}" / "warehouse")) == facts(warehouse)
        assert both.rotate().findings == ()
        after = backups_at(url, tmp_path, new)
        after.restore(after.get(None), tmp_path / f"after-{steps}", frozenset())
        assert facts(Warehouse(tmp_path / f"after-{steps}" / "warehouse")) == facts(warehouse)
        assert not list((tmp_path / f"copy-{steps - 1}" / "objects").rglob(f"{_name(old)}/*/*"))
    # Writing each object anew and removing the old one are at least two changes an object.
    assert steps >= 2 * len(facts(warehouse))


def test_a_damaged_object_keeps_its_old_key_until_it_was_sent_again(tmp_path: Path) -> None:
    url, old, new = place("file", tmp_path), new_key(), new_key()
    warehouse = filled(tmp_path)
    before = backups_at(url, tmp_path, old)
    run(before, warehouse)
    sha256 = warehouse.manifests("u").load(1).files[0].sha256
    stored = tmp_path / "place" / object_key(before.keyring.newest, sha256)
    data = bytearray(stored.read_bytes())
    data[-1] ^= 1
    stored.write_bytes(data)
    report = backups_at(url, tmp_path, new, old).rotate()
    assert {Path(finding.key).parts[0] for finding in report.findings} == {"objects", "sets"}
    both = backups_at(url, tmp_path, new, old)
    assert both.fetch(layout.version("t", 1), tmp_path / "got")
    run(both, warehouse, "weekly")
    assert backups_at(url, tmp_path, new, old).rotate().findings == ()
    after = backups_at(url, tmp_path, new)
    assert after.fetch(layout.blob(sha256), tmp_path / "mended")
    assert len(after.names()) == 2


def test_rotating_without_the_old_key_names_it_and_changes_nothing(tmp_path: Path) -> None:
    url, old = place("file", tmp_path), make_key()
    run(backups_at(url, tmp_path, old[0]), filled(tmp_path))
    before = sorted(path.name for path in (tmp_path / "place" / "objects").rglob("*.age"))
    with pytest.raises(ConfigurationError, match=old[1].name):
        backups_at(url, tmp_path, new_key()).rotate()
    assert sorted(path.name for path in (tmp_path / "place" / "objects").rglob("*.age")) == before


def test_the_age_of_a_key_counts_from_its_first_use(tmp_path: Path) -> None:
    url, key = place("file", tmp_path), new_key()
    backups = backups_at(url, tmp_path, key)
    now = dt.datetime.now(dt.UTC)
    assert backups.key_age(now) is None
    run(backups, filled(tmp_path))
    run(backups, Warehouse(tmp_path / "warehouse"))
    age = backups.key_age(now + dt.timedelta(days=91))
    assert age is not None
    assert age.days in (90, 91)
    assert is_due(age + dt.timedelta(days=1))
    note = json.loads((tmp_path / "place" / birth_key(backups.keyring.newest.name)).read_text())
    assert note["recipient"] == backups.keyring.newest.recipient


@pytest.mark.parametrize(("days", "due"), [(None, False), (0, False), (90, False), (91, True)])
def test_a_key_is_due_after_a_quarter(days: int | None, due: bool) -> None:
    assert is_due(None if days is None else dt.timedelta(days=days)) is due


@pytest.mark.skipif(shutil.which("age") is None, reason="the age command is not here")
def test_the_age_command_opens_an_object(tmp_path: Path) -> None:
    url, key = place("file", tmp_path), new_key()
    warehouse = filled(tmp_path)
    backups = backups_at(url, tmp_path, key)
    run(backups, warehouse)
    (tmp_path / "key.txt").write_text(key)
    sha256 = warehouse.manifests("u").load(1).files[0].sha256
    stored = tmp_path / "place" / object_key(backups.keyring.newest, sha256)
    done = subprocess.run(["age", "-d", "-i", tmp_path / "key.txt", stored], capture_output=True, check=True)
    assert done.stdout == warehouse.store.get(layout.blob(sha256))


def _name(secret: str) -> str:
    return parse_keyring(secret).newest.name
