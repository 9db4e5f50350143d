"""What retention takes out of the tables: exported before it is deleted, and nothing else."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import uuid
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from data_platform.errors import ChecksumMismatchError, ConfigurationError, NotPermittedError
from data_platform.governance import record_retention
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.permissions import Role, User
from data_platform.governance.record_retention import apply_retention, plan_retention
from data_platform.governance.result_files import write_result
from data_platform.records import query_requests, retention, sync_logs
from data_platform.records.archive_files import ArchiveFiles
from data_platform.records.audit_verification import WITNESS
from data_platform.records.connection import Records
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.records.retention import keeping
from data_platform.records.retention_policies import POLICIES, Policy
from data_platform_tests.governance.audit_fixtures import ADMIN, NEW, OLD, SYSTEM, Installation, install

DAYS = dt.timedelta(days=1)


def log(installation: Installation, *ages: dt.timedelta) -> None:
    for age in ages:
        with installation.records.transaction(SYSTEM) as connection:
            number = sync_logs.append(connection, "crsp", "crsp_daily", "INFO", f"{age.days} days old", {"rows": 7})
            moment = dt.datetime.now(dt.UTC) - age
        installation.tamper("UPDATE platform.data_sync_logs SET created_at = %s WHERE id = %s", moment, number)


def messages(installation: Installation) -> list[str]:
    with installation.records.transaction(SYSTEM) as connection:
        return [line.message for line in sync_logs.recent(connection)]


def rows_in(installation: Installation, table: str) -> list[dict[str, object]]:
    return [
        dict(row)
        for archive in installation.trail.archived()
        if archive.table_name == table
        for row in installation.trail.read_archive(archive.file_name)
    ]


def test_log_lines_stay_for_thirty_days_and_are_archived_then(installation: Installation) -> None:
    log(installation, 40 * DAYS, 31 * DAYS, 29 * DAYS, 0 * DAYS)
    planned = {report.table: report for report in plan_retention(installation.records, ADMIN)}
    assert planned["data_sync_logs"].rows == 2
    assert len(messages(installation)) == 4
    assert not installation.archives.exists()
    done = installation.age(0 * DAYS)["data_sync_logs"]
    due = planned["data_sync_logs"]
    assert (done.rows, done.oldest, done.newest) == (2, due.oldest, due.newest)
    assert messages(installation) == ["0 days old", "29 days old"]
    archived = rows_in(installation, "data_sync_logs")
    assert [row["message"] for row in archived] == ["40 days old", "31 days old"]
    assert archived[0]["extra"] == {"rows": 7}
    assert installation.age(0 * DAYS)["data_sync_logs"].rows == 0


def test_an_archive_is_encrypted_and_private(installation: Installation) -> None:
    log(installation, 40 * DAYS)
    installation.age(0 * DAYS)
    file = next((installation.archives / "data_sync_logs").iterdir())
    assert b"days old" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    content = gzip.decompress(open_cipher(installation.settings).decrypt_bytes(file.read_bytes()))
    assert json.loads(content)["message"] == "40 days old"


def test_audit_rows_stay_for_ninety_days_and_texts_are_readable_in_the_archive(installation: Installation) -> None:
    installation.ask(3)
    assert installation.age(89 * DAYS)["data_query_audit"].rows == 0
    assert installation.age(91 * DAYS)["data_query_audit"].rows == 6
    archived = rows_in(installation, "data_query_audit")
    assert [row["query_text"] for row in archived] == ["SELECT 0", None, "SELECT 1", None, "SELECT 2", None]
    assert installation.count("data_query_audit") == 0
    installation.ask(1)
    assert [query.id for query in installation.trail.queries()] == [8, 7]
    assert installation.found() == []


def test_many_rows_go_in_many_archives(installation: Installation) -> None:
    installation.ask(5)
    policy = next(policy for policy in POLICIES if policy.table == "data_query_audit")
    cipher, files = open_cipher(installation.settings), ArchiveFiles(installation.settings.home)
    with keeping(installation.records.databases) as connection:
        later = dt.datetime.now(dt.UTC) + 91 * DAYS
        done = list(retention.apply(connection, policy, later, files, cipher, batch_rows=3))
    assert [archive.row_count for archive in done] == [3, 3, 3, 1]
    assert installation.found() == []


def test_requests_go_after_a_day_with_their_results(installation: Installation) -> None:
    cipher, exports = open_cipher(installation.settings), installation.settings.warehouse_root / "exports"
    with installation.records.transaction(SYSTEM) as connection:
        old, young = (query_requests.create(connection, "ann", "crsp", cipher.encrypt("SELECT 1")) for _ in range(2))
    places = {number: write_result(exports, "ann", number, pa.table({"a": [1]})) for number in (old, young)}
    with installation.records.transaction(SYSTEM) as connection:
        for number, place in places.items():
            query_requests.set_state(connection, number, "done", str(place))
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=25)
    installation.tamper("UPDATE platform.query_requests SET updated_at = %s WHERE id = %s", moment, old)
    installation.age(0 * DAYS)
    assert [path.exists() for path in places.values()] == [False, True]
    assert not places[old].parent.exists()
    assert installation.count("query_requests") == 1
    assert [row["query_text"] for row in rows_in(installation, "query_requests")] == ["SELECT 1"]


def test_a_result_elsewhere_is_left_alone(installation: Installation, tmp_path: Path) -> None:
    precious = tmp_path / "a" / "b" / "result.parquet"
    precious.parent.mkdir(parents=True)
    precious.write_text("x")
    with installation.records.transaction(SYSTEM) as connection:
        text = open_cipher(installation.settings).encrypt("SELECT 1")
        request = query_requests.create(connection, "ann", "crsp", text)
        query_requests.set_state(connection, request, "done", str(precious))
    installation.age(2 * DAYS)
    assert installation.count("query_requests") == 0
    assert precious.exists()


def test_a_broken_chain_is_not_archived_and_the_other_tables_go_on(installation: Installation) -> None:
    installation.ask(2)
    installation.act(2)
    installation.tamper("UPDATE platform.data_query_audit SET client_ip = 'x' WHERE id = 2")
    run = apply_retention(installation.records, installation.settings, ADMIN, dt.datetime.now(dt.UTC) + 91 * DAYS)
    assert [type(error) for error in run.errors] == [ChecksumMismatchError]
    reports = {report.table: report for report in run.reports}
    assert "row 2 was changed" in (reports["data_query_audit"].problem or "")
    assert (reports["data_query_audit"].rows, reports["platform_audit"].rows) == (0, 2)
    assert installation.count("data_query_audit") == 4


def test_a_run_that_ended_before_its_commit_lost_nothing_and_leaves_what_others_may_name(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.ask(2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(retention, "_delete", killed)
        installation.age()
    assert installation.count("data_query_audit") == 4
    assert installation.count("archives") == 0
    assert installation.found() == []
    installation.ask(1)
    installation.age()
    # The file of the run that was killed stays: by its name alone nobody can tell whose it is.
    assert len(list((installation.archives / "data_query_audit").iterdir())) == 2
    assert installation.found() == []


def test_archives_of_another_database_are_left_alone(
    installation: Installation, other_records: Records, postgres: EmbeddedServer
) -> None:
    installation.ask(2)
    installation.age()
    other = install(other_records, postgres, installation.settings.home)
    other.ask(1)
    other.age()
    (other.settings.home / WITNESS).unlink(missing_ok=True)
    assert installation.found() == []
    (other.settings.home / WITNESS).unlink()
    assert other.found() == []


def test_a_result_goes_before_its_request_and_again_when_that_was_interrupted(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installation.records.transaction(SYSTEM) as connection:
        text = open_cipher(installation.settings).encrypt("SELECT 1")
        request = query_requests.create(connection, "ann", "crsp", text)
    place = write_result(installation.settings.warehouse_root / "exports", "ann", request, pa.table({"a": [1]}))
    with installation.records.transaction(SYSTEM) as connection:
        query_requests.set_state(connection, request, "done", str(place))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(record_retention, "remove_result", killed)
        installation.age(2 * DAYS)
    assert (installation.count("query_requests"), place.exists()) == (1, True)
    installation.age(2 * DAYS)
    assert (installation.count("query_requests"), place.exists()) == (0, False)


def test_no_row_goes_that_is_in_no_archive(installation: Installation) -> None:
    installation.ask(2)
    with psycopg.connect(installation.records.databases.owner_url) as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is in no archive"):
            owner.execute("DELETE FROM platform.data_query_audit WHERE id = 1")
        owner.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("DELETE FROM platform.archives")


def test_without_the_key_of_a_text_it_stays_and_its_row_is_named(installation: Installation) -> None:
    installation.with_keys(OLD).ask(1)
    installation.act(1)
    later = dt.datetime.now(dt.UTC) + 91 * DAYS
    lacking = installation.with_keys(NEW)
    run = apply_retention(lacking.records, lacking.settings, ADMIN, later)
    (error,) = run.errors
    assert isinstance(error, ConfigurationError)
    assert "data_query_audit, row 1: " in error.message
    assert {report.table: report.rows for report in run.reports}["platform_audit"] == 1
    assert installation.count("data_query_audit") == 2
    assert installation.with_keys(NEW, OLD).age()["data_query_audit"].rows == 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR])
def test_retention_is_for_administrators(installation: Installation, role: Role) -> None:
    for run in (
        lambda: plan_retention(installation.records, User("ann", role)),
        lambda: apply_retention(installation.records, installation.settings, User("ann", role)),
    ):
        with pytest.raises(NotPermittedError):
            run()


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.table)
def test_every_policy_runs_on_an_empty_table(installation: Installation, policy: Policy) -> None:
    cipher, files = open_cipher(installation.settings), ArchiveFiles(installation.settings.home)
    with keeping(installation.records.databases) as connection:
        assert retention.plan(connection, policy, retention.clock_of(connection)).rows == 0
        assert list(retention.apply(connection, policy, retention.clock_of(connection), files, cipher)) == []


def test_a_clock_that_went_back_keeps_the_rows_behind_it(installation: Installation) -> None:
    """Rows go as the beginning of the chain: an old row behind a young one waits."""
    installation.act(1)
    young = dt.datetime.now(dt.UTC) + 30 * DAYS
    installation.act(1)
    installation.tamper("UPDATE platform.platform_audit SET created_at = %s WHERE id = 1", young)
    later = dt.datetime.now(dt.UTC) + 91 * DAYS
    report = {each.table: each for each in plan_retention(installation.records, ADMIN, later)}
    assert report["platform_audit"].rows == 0


def test_what_a_file_is_called_tells_nothing(installation: Installation) -> None:
    log(installation, 40 * DAYS)
    name = installation.age(0 * DAYS)["data_sync_logs"].files[0]
    assert uuid.UUID(name.partition("/")[2].partition(".")[0])
