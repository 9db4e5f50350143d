"""Several processes at one table, killed, stopped and robbed of the lock at random, with a reader all the time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from data_platform.errors import Fenced
from data_platform.warehouse import Warehouse
from data_platform.warehouse.staging import stage, staging_folder
from data_platform_tests.warehouse.faults.aftermath import require_sound
from data_platform_tests.warehouse.faults.crowd import Crowd, crowd, reader, writer, wrongs
from data_platform_tests.warehouse.faults.scenarios import TABLE, write
from data_platform_tests.warehouse.faults.weak import naive_writer
from data_platform_tests.warehouse.frames import SCHEMA, batch


@pytest.mark.parametrize("writers", [2, 8])
def test_no_promise_is_broken_by_kills_and_stops(
    writers: int, tmp_path: Path, torture: bool, dice: random.Random
) -> None:
    with crowd(tmp_path, dice) as people:
        for _ in range(writers):
            people.add(writer)
        people.add(reader)
        ends = time.monotonic() + (60 if torture else 5)
        while time.monotonic() < ends:
            people.listen(dice.uniform(0.0, 0.2))
            people.strike(writer)
    assert people.complaints == []
    assert wrongs(tmp_path, people.acknowledged) == []
    assert len(people.acknowledged) > 5
    assert people.reads > 5
    assert people.kills + people.stops + people.robberies > 5
    require_sound(tmp_path)


def test_a_robbed_writer_whose_files_its_successor_cleared_away_is_fenced(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    lock = warehouse.lock(TABLE).acquire()
    with pytest.raises(Fenced), staging_folder(warehouse.staging_root, TABLE, lock.token.writer_id) as folder:
        warehouse.lock(TABLE).force_release(lock.token.writer_id)
        assert write(tmp_path, 2024).manifest_version == 1
        stage(iter([batch(2024)]), SCHEMA, "date", folder / "2024.parquet")
    lock.release()
    assert warehouse.manifests(TABLE).numbers() == [1]


def test_a_naive_lock_is_found_out(tmp_path: Path, dice: random.Random) -> None:
    """The harness on trial: a lock that ages, and versions that are renamed into place, break promises."""
    with crowd(tmp_path, dice) as people:
        for _ in range(3):
            people.add(naive_writer)
        ends = time.monotonic() + 20
        while time.monotonic() < ends and not _lost(tmp_path, people):
            people.listen(0.5)
    assert _lost(tmp_path, people)


def _lost(root: Path, people: Crowd) -> bool:
    found = wrongs(root, people.acknowledged) if people.acknowledged else []
    return "one version was acknowledged twice" in found and any("is not what was acknowledged" in w for w in found)
