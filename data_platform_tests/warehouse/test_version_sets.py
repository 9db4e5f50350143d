"""Tags and pins: names for versions that keep what they name."""

from __future__ import annotations

import pytest

from data_platform.errors import ChecksumMismatchError, UsageError
from data_platform.warehouse import Warehouse
from data_platform.warehouse.version_sets import VersionSets, twin
from data_platform_tests.warehouse.damage import flip_a_bit
from data_platform_tests.warehouse.frames import batch, publish


@pytest.fixture
def synced(warehouse: Warehouse) -> Warehouse:
    publish(warehouse, "t", "2023")
    publish(warehouse, "t", "2024")
    publish(warehouse, "u", "2024")
    return warehouse


@pytest.fixture(params=["snapshots", "pins"])
def sets(request: pytest.FixtureRequest, synced: Warehouse) -> VersionSets:
    return synced.snapshots if request.param == "snapshots" else synced.pins


def test_a_name_keeps_what_it_named(synced: Warehouse, sets: VersionSets) -> None:
    made = sets.create("paper-1", {"t": 2, "u": 1}, created_by="ann", description="first draft")
    publish(synced, "t", "2024", batch(2024, rows=7))
    assert sets.get("paper-1") == made
    assert (made.versions, made.created_by) == ({"t": 2, "u": 1}, "ann")
    assert made.checksums["t"] == synced.manifests("t").load(2).checksum
    assert sets.names() == ["paper-1"]
    assert sets.all() == [made]


def test_a_name_is_given_once(sets: VersionSets) -> None:
    made = sets.create("a", {"t": 1}, created_by="ann")
    with pytest.raises(UsageError, match="already"):
        sets.create("a", {"t": 2}, created_by="bob")
    assert sets.get("a") == made
    sets.drop("a")
    assert sets.create("a", {"t": 2}, created_by="bob").versions == {"t": 2}


@pytest.mark.parametrize(
    "name", ["", "3", "2024-01-15", "latest", "Latest", "../t", "a/b", ".a", "a b", "a" * 101, "ä"]
)
def test_names_that_could_be_mistaken_are_refused(sets: VersionSets, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for"):
        sets.create(name, {"t": 1}, created_by="ann")
    assert sets.names() == []


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({}, "would name no version"),
        ({"t": 9}, "no version 9"),
        ({"nope": 1}, "no version 1"),
        ({"t": 0}, "no version 0"),
    ],
)
def test_only_versions_that_exist_can_be_named(sets: VersionSets, versions: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sets.create("a", versions, created_by="ann")
    assert sets.names() == []


def test_an_unknown_name_is_refused(sets: VersionSets) -> None:
    for ask in (sets.get, sets.drop):
        with pytest.raises(UsageError, match="There is no"):
            ask("nope")


def test_a_changed_byte_is_found_and_never_passed_over(synced: Warehouse, sets: VersionSets) -> None:
    sets.create("a", {"t": 1}, created_by="ann")
    sets.create("b", {"t": 2}, created_by="ann")
    flip_a_bit(synced.store.path(sets.key("a")))
    for ask in (lambda: sets.get("a"), sets.all):
        with pytest.raises(ChecksumMismatchError, match=" a is damaged"):
            ask()
    assert sets.get("b").versions == {"t": 2}
    assert [named.name for named in sets.readable()[0]] == ["b"]
    assert [" a is damaged" in str(error) for error in sets.readable()[1]] == [True]


def test_a_damaged_name_can_be_dropped_and_given_again(synced: Warehouse, sets: VersionSets) -> None:
    sets.create("a", {"t": 1}, created_by="ann")
    flip_a_bit(synced.store.path(sets.key("a")))
    assert sets.drop("a") is None
    assert sets.names() == []
    assert sets.create("a", {"t": 2}, created_by="ann").versions == {"t": 2}


def test_one_name_in_the_place_of_another_is_found(synced: Warehouse, sets: VersionSets) -> None:
    sets.create("a", {"t": 1}, created_by="ann")
    synced.store.path(sets.key("b")).write_bytes(synced.store.get(sets.key("a")))
    with pytest.raises(ChecksumMismatchError, match="lies a"):
        sets.get("b")


def test_names_that_came_without_their_twins_get_them(synced: Warehouse, sets: VersionSets) -> None:
    sets.create("a", {"t": 1}, created_by="ann")
    path = synced.store.path(twin(sets.key("a")))
    before = path.read_bytes()
    path.unlink()
    sets.renew_twins()
    assert path.read_bytes() == before == synced.store.get(sets.key("a"))


def test_a_drop_that_was_cut_short_leaves_a_name_that_can_be_dropped_again(
    synced: Warehouse, sets: VersionSets
) -> None:
    sets.create("a", {"t": 1}, created_by="ann")
    synced.store.path(twin(sets.key("a"))).unlink()
    assert sets.get("a").versions == {"t": 1}
    sets.drop("a")
    assert sets.names() == []
