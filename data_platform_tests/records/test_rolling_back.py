"""Going back, and meeting a database of another age: what is refused, and that nothing is lost by it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from data_platform.errors import ConfigurationError
from data_platform.governance.audit_key import QueryCipher, new_key
from data_platform.records import platform_audit, query_audit, retention
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.audit_verification import verify_chain
from data_platform.records.chain import PLATFORM_AUDIT
from data_platform.records.connection import connect_records
from data_platform.records.databases import Databases
from data_platform.records.migrations import FOLDER, bring_up, migrate, migration_status, rollback
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.retention import keeping
from data_platform.records.retention_policies import POLICIES
from data_platform.records.scope import Scope

NAMES = sorted(path.stem for path in FOLDER.glob("*.sql") if ".rollback" not in path.name)


def test_a_database_of_ones_own_that_is_older_is_refused_and_an_empty_one_is_brought_up(empty: Databases) -> None:
    own = dataclasses.replace(empty, embedded=False)
    bring_up(own)
    assert all(state.applied for state in migration_status(own))
    rollback(own, 2)
    with pytest.raises(ConfigurationError, match=rf"older than this code.*{NAMES[-2]}' and 1 more") as caught:
        bring_up(own)
    assert caught.value.hint is not None
    assert "data-platform db migrate" in caught.value.hint
    bring_up(empty)
    assert all(state.applied for state in migration_status(own))


def test_records_of_an_older_database_say_so(databases: Databases) -> None:
    rollback(databases, len(NAMES) - 5)
    with (
        connect_records(databases) as records,
        pytest.raises(ConfigurationError, match="older than this code"),
        records.transaction(Scope.system("test")),
    ):
        pass


def test_a_rollback_that_would_lose_what_was_audited_is_refused_and_changes_nothing(databases: Databases) -> None:
    with connect_records(databases) as records:
        text = SealedText("0" * 64, "0" * 64, b"x")
        query_audit.record_attempt(records, "ann", "crsp", 1, text, None, QUERIES)
    until_audit = [name for name in NAMES[::-1] if name >= "0011"]
    with pytest.raises(ConfigurationError, match="cannot verify") as caught:
        rollback(databases, len(until_audit))
    assert "restore a backup" in str(caught.value)
    assert next(state.applied for state in migration_status(databases) if state.name.startswith("0011"))
    migrate(databases)


def test_a_rollback_that_would_lose_archived_rows_is_refused(databases: Databases, tmp_path: Path) -> None:
    with connect_records(databases) as records:
        platform_audit.note(records, "ann", "lock.release")
    cipher = QueryCipher([new_key()])
    policy = next(policy for policy in POLICIES if policy.table == "platform_audit")
    with keeping(databases) as owner:
        later = retention.clock_of(owner) + dt.timedelta(days=91)
        assert len(list(retention.apply(owner, policy, later, ArchiveFiles(tmp_path), cipher))) == 1
    until_audit = [name for name in NAMES[::-1] if name >= "0011"]
    for count in range(len(until_audit), len(NAMES) + 1):
        with pytest.raises(ConfigurationError, match="rows were archived"):
            rollback(databases, count)
    migrate(databases)
    with connect_records(databases) as records, records.transaction(Scope.system("test")) as connection:
        platform_audit.append(connection, "ann", "lock.release")
        assert verify_chain(connection, PLATFORM_AUDIT, ArchiveFiles(tmp_path), cipher).breaks == ()


def test_a_scope_is_believed_again_when_the_tables_were_made_anew(databases: Databases) -> None:
    with connect_records(databases) as records:
        platform_audit.note(records, "ann", "x")
        rollback(databases, len(NAMES))
        migrate(databases)
        platform_audit.note(records, "ben", "y")
        with records.transaction(Scope.system("test")) as connection:
            assert [entry.actor for entry in platform_audit.recent(connection)] == ["ben"]
