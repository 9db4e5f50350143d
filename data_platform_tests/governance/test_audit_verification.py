"""Following the audit: what a superuser of the server does to it shows, in the tables and in the archives."""

from __future__ import annotations

import json

import psycopg
import pytest

from data_platform.errors import ChecksumMismatchError, LockBusyError, NotPermittedError
from data_platform.governance.audit_trail import AuditTrail
from data_platform.governance.permissions import Role, User
from data_platform.records.archives import hold_alone
from data_platform.records.retention import keeping
from data_platform_tests.governance.audit_fixtures import NEW, OLD, Installation

CUT_HEAD = (
    "UPDATE platform.audit_heads SET (row_id, row_hash) = "
    "(SELECT id, hash FROM platform.{0} ORDER BY id DESC LIMIT 1) WHERE chain = '{0}'"
)
PUT_IN = """
    INSERT INTO platform.{0} OVERRIDING SYSTEM VALUE
    SELECT (jsonb_populate_record(last, jsonb_build_object('id', 9, 'attempt_id', NULL, 'previous_hash', last.hash,
                                                           'hash', repeat('1', 64)))).*
    FROM platform.{0} AS last WHERE last.id = 8
"""
TABLES = ["data_query_audit", "platform_audit"]
TAMPERING: list[tuple[str, list[str], list[tuple[int, str]]]] = [
    ("changed", ["UPDATE platform.{} SET client_ip = '10.0.0.1' WHERE id = 3"], [(3, "changed")]),
    (
        "time changed",
        ["UPDATE platform.{} SET created_at = created_at - interval '1us' WHERE id = 3"],
        [(3, "changed")],
    ),
    ("removed", ["DELETE FROM platform.{} WHERE id IN (3, 4)"], [(5, "removed")]),
    ("first removed", ["DELETE FROM platform.{} WHERE id = 1"], [(2, "removed")]),
    ("last removed", ["DELETE FROM platform.{} WHERE id > 6"], [(8, "removed")]),
    ("all removed", ["DELETE FROM platform.{}"], [(8, "removed")]),
    ("put in at the end", [PUT_IN], [(9, "out_of_place")]),
    (
        "reordered",
        [
            "ALTER TABLE platform.{} ALTER id DROP IDENTITY",
            "UPDATE platform.{} SET id = -3 WHERE id = 3",
            "UPDATE platform.{} SET id = 3 WHERE id = 4",
            "UPDATE platform.{} SET id = 4 WHERE id = -3",
        ],
        [(3, "out_of_place"), (3, "changed"), (4, "out_of_place"), (4, "changed"), (5, "out_of_place")],
    ),
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("statements", "found"), [case[1:] for case in TAMPERING], ids=[case[0] for case in TAMPERING])
def test_what_was_done_to_a_table_shows(
    installation: Installation, table: str, statements: list[str], found: list[tuple[int, str]]
) -> None:
    installation.ask(4)
    installation.act(8)
    assert installation.found() == []
    # Following the chains was noted: one row more, which the cases leave alone.
    (installation.settings.home / "audit_witness.json").unlink()
    if table == "platform_audit":
        installation.tamper("DELETE FROM platform.platform_audit WHERE id = 9")
        installation.tamper(CUT_HEAD.format("platform_audit"))
    for statement in statements:
        installation.tamper(statement.format(table))
    assert installation.found() == [(table, *each) for each in found]


def test_nothing_is_added_behind_a_row_that_was_put_in(installation: Installation) -> None:
    installation.act(8)
    installation.tamper(PUT_IN.format("platform_audit"))
    with pytest.raises(ChecksumMismatchError, match="somebody put a row behind its last one"):
        installation.act(1)
    assert installation.found() == [("platform_audit", 9, "out_of_place")]


def test_an_exchanged_text_shows_although_no_hash_covers_its_bytes(installation: Installation) -> None:
    installation.ask(2)
    first = "(SELECT query_text FROM platform.data_query_audit WHERE id = 1)"
    installation.tamper(f"UPDATE platform.data_query_audit SET query_text = {first} WHERE id = 3")
    assert installation.found() == [("data_query_audit", 3, "text_exchanged")]


def test_a_text_under_a_lost_key_shows(installation: Installation) -> None:
    installation.with_keys(OLD).ask(1)
    assert installation.with_keys(NEW, OLD).found() == []
    assert installation.with_keys(NEW).found() == [("data_query_audit", 1, "text_unreadable")]


def test_whoever_cuts_the_end_and_its_head_is_found_by_the_last_verification(installation: Installation) -> None:
    installation.ask(3)
    assert installation.found() == []
    for statement in ("DELETE FROM platform.data_query_audit WHERE id > 4", CUT_HEAD.format("data_query_audit")):
        installation.tamper(statement)
    assert installation.found() == [("data_query_audit", 6, "witness")]
    # And it stays found until somebody looks into it.
    installation.ask(3)
    assert installation.found() == [("data_query_audit", 6, "witness")]


def test_a_damaged_note_of_the_last_verification_is_told(installation: Installation) -> None:
    installation.ask(1)
    installation.trail.verify()
    (installation.settings.home / "audit_witness.json").write_text('["?"]')
    with pytest.raises(ChecksumMismatchError, match=r"audit_witness\.json"):
        installation.trail.verify()


def test_archived_rows_are_followed_and_what_was_done_to_their_file_shows(installation: Installation) -> None:
    installation.ask(3)
    installation.act(2)
    installation.age()
    installation.ask(2)
    reports = {report.chain: report for report in installation.trail.verify()}
    assert all(report.holds and report.archives_read for report in reports.values())
    queries = reports["data_query_audit"]
    assert (queries.rows, queries.archived_rows, queries.texts_checked) == (10, 6, 5)
    file = next((installation.archives / "data_query_audit").iterdir())
    content = file.read_bytes()
    file.write_bytes(content[:-10] + b"AAAAAAAAAA")
    assert installation.found() == [("data_query_audit", 1, "archive")]
    file.unlink()
    assert installation.found() == [("data_query_audit", 1, "archive")]
    file.write_bytes(content)
    assert installation.found() == []


def test_an_archive_that_was_forgotten_shows(installation: Installation) -> None:
    installation.ask(1)
    installation.age()
    installation.ask(1)
    installation.tamper("DELETE FROM platform.archives")
    assert ("data_query_audit", 3, "removed") in installation.found()


def test_rows_that_are_written_meanwhile_disturb_nothing(installation: Installation) -> None:
    installation.ask(3)
    reports = installation.trail.verify(progress=lambda _rows, _all: installation.ask(1, "ben") if _all == 6 else None)
    assert [report.holds for report in reports] == [True, True]
    assert reports[0].rows == 6


def test_verification_and_archiving_wait_for_neither_but_say_so(installation: Installation) -> None:
    with keeping(installation.records.databases), pytest.raises(LockBusyError, match="Try again"):
        installation.trail.verify()
    with (
        psycopg.connect(installation.records.databases.owner_url, row_factory=psycopg.rows.dict_row) as one,
        keeping(installation.records.databases),
        pytest.raises(LockBusyError),
        hold_alone(one),
    ):
        pass
    assert installation.trail.verify()[0].holds


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_only_administrators_see_more_than_their_own(installation: Installation, role: Role) -> None:
    installation.ask(1, "ann")
    installation.ask(1, "ben")
    granted = frozenset({"dataset:crsp"})
    trail = AuditTrail(installation.records, installation.settings, User("ann", role, grants=granted))
    assert {query.user_id for query in trail.queries()} == {"ann"}
    assert trail.queries(user="ben") == []
    assert list(trail.texts_of(trail.queries()).values()) == ["SELECT 0"]
    assert [entry.action for entry in trail.actions()] == ["audit.read_texts"]
    for forbidden in (trail.verify, trail.rotate_key, trail.archived, lambda: list(trail.read_archive("x"))):
        with pytest.raises(NotPermittedError):
            forbidden()
    assert {query.user_id for query in installation.trail.queries()} == {"ann", "ben"}


def test_each_use_of_the_key_is_an_entry(installation: Installation) -> None:
    installation.ask(1)
    installation.trail.texts_of(installation.trail.queries())
    installation.trail.verify()
    installation.trail.rotate_key()
    installation.age()
    name = installation.trail.archived()[0].file_name
    assert len(list(installation.trail.read_archive(name))) > 0
    actions = [entry.action for entry in installation.trail.actions()]
    assert actions[:1] == ["audit.read_archive"]
    archive = next((installation.archives / "platform_audit").iterdir())
    archived = [row["action"] for row in installation.trail.read_archive(f"platform_audit/{archive.name}")]
    assert archived == ["audit.read_texts", "audit.verify", "audit.rotate", "audit.rotated", "retention.archive"]
    assert json.dumps(actions).count("SELECT") == 0
