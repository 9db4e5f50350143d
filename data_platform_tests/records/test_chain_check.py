"""What following a chain finds: every kind of tampering, named, at its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from data_platform.errors import ConfigurationError
from data_platform.records.chain import GENESIS, Head, chain_hash
from data_platform.records.chain_check import ChainFollower, text_digest
from data_platform_tests.records.audited import first_break

Row = dict[str, Any]


def linked(rows: list[Row], start: str = GENESIS) -> list[Row]:
    """Give rows the hashes that they should have, in this order."""
    for row in rows:
        row["previous_hash"] = start
        start = row["hash"] = chain_hash(start, row)
    return rows


def chain_of(count: int) -> list[Row]:
    return linked([{"id": number, "action": f"act {number}"} for number in range(1, count + 1)])


def end_of(rows: list[Row]) -> Head:
    return Head(rows[-1]["id"], rows[-1]["hash"])


def changed(rows: list[Row]) -> list[Row]:
    rows[2]["action"] = "another"
    return rows


def changed_with_its_hash(rows: list[Row]) -> list[Row]:
    rows[2]["action"] = "another"
    rows[2]["hash"] = chain_hash(rows[2]["previous_hash"], rows[2])
    return rows


def removed(rows: list[Row]) -> list[Row]:
    del rows[1:3]
    return rows


def first_removed(rows: list[Row]) -> list[Row]:
    return rows[1:]


def last_removed(rows: list[Row]) -> list[Row]:
    return rows[:-2]


def swapped(rows: list[Row]) -> list[Row]:
    rows[1], rows[2] = {**rows[2], "id": 2}, {**rows[1], "id": 3}
    return rows


def put_in_at_the_end(rows: list[Row]) -> list[Row]:
    new = {"id": 6, "action": "forged", "previous_hash": rows[-1]["hash"]}
    return [*rows, {**new, "hash": chain_hash(rows[-1]["hash"], new)}]


def put_in_between(rows: list[Row]) -> list[Row]:
    forged = {"id": 3, "action": "forged", "previous_hash": rows[1]["hash"]}
    forged["hash"] = chain_hash(rows[1]["hash"], forged)
    return [*rows[:2], forged, *[{**row, "id": row["id"] + 1} for row in rows[2:]]]


def written_anew(rows: list[Row]) -> list[Row]:
    rows[2]["action"] = "another"
    return linked(rows)


CASES: list[tuple[Callable[[list[Row]], list[Row]], list[tuple[int, str]]]] = [
    (lambda rows: rows, []),
    (changed, [(3, "changed")]),
    (changed_with_its_hash, [(4, "out_of_place")]),
    (removed, [(4, "removed")]),
    (first_removed, [(2, "removed")]),
    (last_removed, [(5, "removed")]),
    (
        swapped,
        [(2, "out_of_place"), (2, "changed"), (3, "out_of_place"), (3, "changed"), (4, "out_of_place")],
    ),
    (put_in_at_the_end, [(6, "out_of_place")]),
    (put_in_between, [(4, "out_of_place"), (4, "changed"), (5, "changed"), (6, "changed"), (6, "out_of_place")]),
    (written_anew, [(5, "changed")]),
]


@pytest.mark.parametrize(("tamper", "found"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_tampering_is_found(tamper: Callable[[list[Row]], list[Row]], found: list[tuple[int, str]]) -> None:
    rows = chain_of(5)
    end = end_of(rows)
    follower = ChainFollower()
    follower.feed(tamper(rows))
    follower.close(end)
    assert [(each.row, each.kind) for each in follower.breaks] == found


def test_following_begins_where_an_archive_ends() -> None:
    rows = chain_of(5)
    assert first_break(rows[3:], end_of(rows[:3])) is None
    assert first_break(rows[3:], end_of(rows[:2])) == 4


def decrypt(stored: bytes | str) -> str:
    if stored == b"unreadable":
        raise ConfigurationError("another key")
    return stored if isinstance(stored, str) else stored.decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"SELECT 1", []),
        ("SELECT 1", []),
        (b"SELECT 2", ["text_exchanged"]),
        (None, ["text_exchanged"]),
        (b"unreadable", ["text_unreadable"]),
    ],
)
def test_a_text_is_compared_with_its_digest_and_may_change_its_key(text: bytes | str | None, found: list[str]) -> None:
    rows = linked([{"id": 1, "query_text": b"x", "query_text_sha256": text_digest("SELECT 1")}])
    rows[0]["query_text"] = text
    follower = ChainFollower(decrypt=decrypt)
    follower.feed(rows)
    assert [each.kind for each in follower.breaks] == found
    assert first_break(rows) is None


def test_a_text_without_a_digest_is_covered_as_it_is() -> None:
    rows = linked([{"id": 1, "query_text": b"x", "query_text_sha256": None}])
    assert first_break(rows) is None
    rows[0]["query_text"] = b"y"
    assert first_break(rows) == 1


def test_a_digest_that_was_taken_away_shows() -> None:
    rows = linked([{"id": 1, "query_text": b"x", "query_text_sha256": text_digest("x")}])
    rows[0]["query_text_sha256"] = None
    assert first_break(rows) == 1


def test_a_chain_that_is_broken_all_over_is_described_by_its_beginning() -> None:
    follower = ChainFollower(most=10)
    follower.feed([{**row, "action": "x"} for row in chain_of(50)])
    assert [each.row for each in follower.breaks] == list(range(1, 11))
