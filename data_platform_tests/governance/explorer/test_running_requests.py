"""Queries that are submitted here and run there."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pyarrow.parquet as pq
import pytest

from data_platform.errors import ConfigurationError, NotPermittedError, UsageError
from data_platform.governance.audit_key import open_cipher
from data_platform.governance.explorer import DataExplorerService, running_requests
from data_platform.governance.identity import local_administrator
from data_platform.governance.permissions import Role, User
from data_platform.records import query_audit, query_requests, users
from data_platform.records.connection import Records
from data_platform.records.query_requests import QueryRequest
from data_platform.records.scope import Scope
from data_platform.settings import Settings

ADMIN = Scope.system("test")


def stored(records: Records, request_id: UUID) -> QueryRequest:
    with records.transaction(ADMIN) as connection:
        request = query_requests.get(connection, request_id)
    assert request is not None
    return request


@pytest.fixture
def ann(records: Records) -> User:
    with records.transaction(ADMIN) as connection:
        users.add(connection, "ann", "analyst")
    return User("ann", Role.ANALYST)


def test_a_request_is_run_as_its_owner_and_its_page_is_kept(
    explorer: DataExplorerService, records: Records, settings: Settings, ann: User
) -> None:
    query = "SELECT permno, ret AS x, ret AS x FROM crsp_daily WHERE permno = 10002"
    request_id = explorer.submit_query(ann, "crsp", query).id
    waiting = stored(records, request_id)
    assert (waiting.user_id, waiting.dataset, waiting.state) == ("ann", "crsp", "queued")
    assert b"crsp_daily" not in waiting.query_text
    result = explorer.run_query(request_id)
    assert result.table.num_rows == 150
    done = stored(records, request_id)
    assert done.state == "done"
    path = Path(str(done.result_location))
    assert path == settings.warehouse_root / "exports" / "ann" / str(request_id) / "result.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert pq.read_table(path).column_names == ["permno", "x", "x_2"]
    assert pq.read_table(path).num_rows == 150
    with records.transaction(ADMIN) as connection:
        assert {row.user_id for row in query_audit.recent(connection)} == {"ann"}
    with pytest.raises(UsageError, match="is done already"):
        explorer.run_query(request_id)


def test_the_permissions_that_count_are_those_at_the_time_of_the_run(
    explorer: DataExplorerService, records: Records, ann: User
) -> None:
    request_id = explorer.submit_query(ann, "crsp", "SELECT 1").id
    with records.transaction(ADMIN) as connection:
        users.revoke(connection, "ann", "dataset:crsp")
    with pytest.raises(NotPermittedError, match="Access to crsp requires dataset:crsp"):
        explorer.run_query(request_id)
    assert stored(records, request_id).state == "failed"
    with records.transaction(ADMIN) as connection:
        assert [row.result for row in query_audit.recent(connection)] == ["denied"]
        users.grant(connection, "ann", "dataset:crsp")
    assert explorer.run_query(request_id).table.num_rows == 1
    assert stored(records, request_id).state == "done"


@pytest.mark.parametrize("query", ["SELECT nocol FROM crsp_daily", "SELECT INTERVAL 1 DAY AS i"])
def test_a_run_that_fails_says_so(
    explorer: DataExplorerService, records: Records, settings: Settings, ann: User, query: str
) -> None:
    request_id = explorer.submit_query(ann, "crsp", query).id
    with pytest.raises(UsageError):
        explorer.run_query(request_id)
    request = stored(records, request_id)
    assert (request.state, request.result_location) == ("failed", None)
    assert not list((settings.warehouse_root / "exports").rglob("*.parquet"))


def test_the_local_administrator_can_defer_a_query_too(explorer: DataExplorerService, records: Records) -> None:
    request_id = explorer.submit_query(local_administrator(), "fama_french", "SELECT count(*) FROM ff_factors_daily").id
    assert explorer.run_query(request_id).table.num_rows == 1
    assert "local%3A" in str(stored(records, request_id).result_location)


def test_of_eight_that_want_one_request_one_gets_it(
    explorer: DataExplorerService, records: Records, settings: Settings, ann: User
) -> None:
    request_id = explorer.submit_query(ann, "crsp", "SELECT 1").id
    cipher, together = open_cipher(settings), threading.Barrier(8)

    def claim(_: int) -> str:
        # Connections are opened one after the other, which would keep the claims apart: have all eight open first.
        with records.transaction(ADMIN):
            together.wait(timeout=10)
        together.wait(timeout=10)
        try:
            return running_requests.claim(records, cipher, request_id).asked.sql
        except UsageError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(claim, range(8)))
    assert answers.count("SELECT 1") == 1
    assert sum("is running already" in answer for answer in answers) == 7


def test_a_request_whose_run_died_can_be_run_after_a_while(
    explorer: DataExplorerService, records: Records, settings: Settings, ann: User
) -> None:
    request_id = explorer.submit_query(ann, "crsp", "SELECT 1").id
    running_requests.claim(records, open_cipher(settings), request_id)
    with pytest.raises(UsageError, match="is running already") as caught:
        explorer.run_query(request_id)
    assert "5 minutes" in str(caught.value.hint)
    with records.transaction(ADMIN) as connection:
        connection.execute("UPDATE platform.query_requests SET updated_at = updated_at - interval '5 minutes'")
    assert explorer.run_query(request_id).table.num_rows == 1
    assert stored(records, request_id).state == "done"


def test_a_claim_of_what_cannot_be_read_takes_nothing(
    explorer: DataExplorerService, records: Records, tmp_path: Path, ann: User
) -> None:
    request_id = explorer.submit_query(ann, "crsp", "SELECT 1").id
    other = open_cipher(Settings(home=tmp_path / "other"))
    with pytest.raises(ConfigurationError):
        running_requests.claim(records, other, request_id)
    assert stored(records, request_id).state == "queued"


def test_requests_that_make_no_sense(explorer: DataExplorerService, ann: User) -> None:
    with pytest.raises(UsageError, match="was not found"):
        explorer.run_query(uuid4())
    with pytest.raises(UsageError, match="Unknown dataset"):
        explorer.submit_query(ann, "nope", "SELECT 1")
    with pytest.raises(UsageError, match="at most 16,384"):
        explorer.submit_query(ann, "crsp", "SELECT 1 -- " + "x" * 20_000)
