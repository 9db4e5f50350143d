"""Another key for what is kept: everything readable with the new one alone, the chain as it was."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from cryptography.fernet import Fernet

from data_platform.errors import ConfigurationError
from data_platform.governance.audit_key import key_path, open_cipher
from data_platform.records import audit_rotation, query_requests
from data_platform.records.chain import GENESIS, QUERY_AUDIT, chain_hash, read_chain
from data_platform_tests.governance.audit_fixtures import NEW, OLD, SYSTEM, Installation


def texts(installation: Installation) -> list[str | None]:
    queries = [query for query in installation.trail.queries(limit=1000) if query.query_text is not None]
    return [*installation.trail.texts_of(queries).values()][::-1]


def test_texts_requests_and_archives_are_under_the_new_key(installation: Installation) -> None:
    before = installation.with_keys(OLD)
    before.ask(2)
    before.act(1)
    before.age()
    before.ask(3)
    with before.records.transaction(SYSTEM) as connection:
        cipher = open_cipher(before.settings)
        request = query_requests.create(connection, "ann", "crsp", cipher.encrypt("SELECT 7"), cipher.encrypt("[7]"))
    report = installation.with_keys(NEW, OLD).trail.rotate_key()
    assert (report.texts, report.renewed, report.archives_renewed, report.old_form, report.findings) == (5, 4, 2, 0, ())
    assert report.complete
    after = installation.with_keys(NEW)
    assert texts(after) == ["SELECT 0", "SELECT 1", "SELECT 2"]
    assert after.found() == []
    with after.records.transaction(SYSTEM) as connection:
        stored = query_requests.get(connection, request)
    assert stored is not None
    assert stored.parameters is not None
    cipher = open_cipher(after.settings)
    assert (cipher.decrypt(stored.query_text), cipher.decrypt(stored.parameters)) == ("SELECT 7", "[7]")
    assert [query.query_text for query in before.trail.queries()] != []
    assert texts(before) == [None] * 3


def test_it_can_be_repeated_and_does_nothing_then(installation: Installation) -> None:
    installation.with_keys(OLD).ask(3)
    both = installation.with_keys(NEW, OLD)
    assert both.trail.rotate_key().renewed == 3
    assert both.trail.rotate_key().renewed == 0


def test_an_interrupted_rotation_goes_on(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.with_keys(OLD).ask(5)
    monkeypatch.setattr(audit_rotation, "_BATCH", 2)
    both = installation.with_keys(NEW, OLD)
    with pytest.raises(KeyboardInterrupt):
        both.trail.rotate_key(progress=_interrupt)
    assert both.found() == []
    assert both.trail.rotate_key().renewed == 3
    assert texts(installation.with_keys(NEW)) == [f"SELECT {number}" for number in range(5)]


def _interrupt(_done: int, _all: int) -> None:
    raise KeyboardInterrupt


def test_a_text_under_a_lost_key_is_named_and_left(installation: Installation) -> None:
    lost = Fernet.generate_key().decode()
    installation.with_keys(lost).ask(1)
    installation.with_keys(OLD).ask(1)
    report = installation.with_keys(NEW, OLD).trail.rotate_key()
    assert report.findings == ("data_query_audit: the text of row 1 is under a key that is not given",)
    assert not report.complete
    assert report.renewed == 1
    assert texts(installation.with_keys(NEW, lost)) == ["SELECT 0", "SELECT 0"]


def test_one_key_is_none_to_change_to(installation: Installation) -> None:
    with pytest.raises(ConfigurationError, match="holds one key") as caught:
        installation.with_keys(OLD).trail.rotate_key()
    assert OLD not in str(caught.value)


def test_a_key_in_the_home_is_made_anew_and_the_last_one_stays_for_a_while(installation: Installation) -> None:
    path = key_path(installation.settings)
    installation.ask(2)
    first = path.read_text()
    # A process that read the key a moment ago.
    slow = open_cipher(installation.settings)
    assert installation.trail.rotate_key().renewed == 2
    second, *rest = path.read_text().split(",")
    assert rest == [first]
    assert path.stat().st_mode & 0o777 == 0o600
    with installation.records.transaction(SYSTEM) as connection:
        query_requests.create(connection, "ann", "crsp", slow.encrypt("late"))
    assert texts(installation) == ["SELECT 0", "SELECT 1"]
    assert installation.trail.rotate_key().renewed == 3
    third, *rest = path.read_text().split(",")
    assert rest == [second]
    assert third != second
    assert installation.found() == []


def test_an_interrupted_rotation_loses_no_key_of_the_home(installation: Installation) -> None:
    installation.ask(2)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            installation.trail.rotate_key(progress=_interrupt)
    assert len(key_path(installation.settings).read_text().split(",")) == 3
    assert [entry.action for entry in installation.trail.actions(action="audit.rotate")] == ["audit.rotate"] * 5
    assert texts(installation) == ["SELECT 0", "SELECT 1"]
    installation.trail.rotate_key()
    assert len(key_path(installation.settings).read_text().split(",")) == 2
    assert texts(installation) == ["SELECT 0", "SELECT 1"]


def test_texts_from_before_there_were_digests_keep_their_key(installation: Installation) -> None:
    """Their rows' hashes cover the bytes, as an older version of this code wrote them."""
    before = installation.with_keys(OLD)
    before.ask(1)
    with before.records.transaction(SYSTEM) as connection:
        rows = list(read_chain(connection, QUERY_AUDIT))
    previous = GENESIS
    for row in rows:
        row["query_text_sha256"] = None
        row["previous_hash"] = previous
        previous = row["hash"] = chain_hash(previous, row)
        installation.tamper(
            "UPDATE platform.data_query_audit SET query_text_sha256 = NULL, previous_hash = %s, hash = %s "
            "WHERE id = %s",
            row["previous_hash"],
            row["hash"],
            row["id"],
        )
    installation.tamper("UPDATE platform.audit_heads SET row_hash = %s WHERE chain = 'data_query_audit'", previous)
    both = installation.with_keys(NEW, OLD)
    assert both.found() == []
    report = both.trail.rotate_key()
    assert (report.old_form, report.renewed, report.complete) == (1, 0, False)
    assert both.found() == []
    both.age(dt.timedelta(days=91))
    assert both.trail.rotate_key().complete
    assert both.found() == []


def test_rotating_while_queries_are_audited_loses_none(installation: Installation) -> None:
    stopping = threading.Event()
    asked = 0

    def ask() -> None:
        nonlocal asked
        while not stopping.is_set() and asked < 200:
            installation.ask(1)
            asked += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(4):
            installation.trail.rotate_key()
    finally:
        stopping.set()
        thread.join(30)
    assert asked > 4
    assert texts(installation) == ["SELECT 0"] * asked
    assert installation.found() == []
