"""Requests: history, looking one up, stopping one from elsewhere, and what administrators see and do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID, uuid4

import pyarrow as pa
import pytest

from data_platform.errors import NotPermittedError, PlatformError, QueryCancelledError, QueryTimeoutError, UsageError
from data_platform.governance.explorer import DataExplorerService, QueryResult, tickets
from data_platform.governance.explorer.asked import Asked
from data_platform.governance.explorer.door import Door
from data_platform.governance.explorer.queries import execute
from data_platform.governance.explorer.running_requests import claim
from data_platform.governance.permissions import Role, User
from data_platform.governance.result_files import write_result
from data_platform.records.connection import connect_records
from data_platform_tests.governance.explorer.conftest import ADMIN, SYSTEM, World
from data_platform_tests.records.processes import eventually

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b"


@pytest.fixture
def elsewhere(world: World) -> Iterator[DataExplorerService]:
    """The service of another process: it shares nothing with the first but database and files."""
    with connect_records(world.records.databases) as records:
        yield DataExplorerService(records, world.warehouse, world.settings, world.engine)


def running(world: World, user: User) -> UUID:
    """The id of the user's query, once it runs."""

    def found() -> UUID | None:
        return next((each.id for each in world.requests(user.user_id) if each.state == "running"), None)

    return eventually(found)


@pytest.fixture
def asking(world: World) -> Iterator[Callable[[User], Future[QueryResult]]]:
    with ThreadPoolExecutor(2) as threads:
        yield lambda user: threads.submit(world.service.execute_query, user, "crsp", ENDLESS)


def test_a_query_is_cancelled_by_its_user_from_another_process(
    world: World, elsewhere: DataExplorerService, asking: Callable[[User], Future[QueryResult]]
) -> None:
    ann = world.person("ann")
    answer = asking(ann)
    number = running(world, ann)
    assert [each.id for each in elsewhere.list_running(ADMIN) if each.user_id == "ann"] == [number]
    assert elsewhere.cancel(ann, number).cancel_requested
    with pytest.raises(QueryCancelledError, match="The query was cancelled: by its user"):
        answer.result(timeout=60)
    ended = elsewhere.get_request(ann, number)
    assert (ended.state, ended.error_kind, ended.query) == ("cancelled", "cancelled", ENDLESS)
    assert "by its user" in str(ended.error_message)
    assert [row.result for row in world.audited("ann")] == [None, "cancelled"]
    assert elsewhere.cancel(ann, number) == ended
    assert [each for each in elsewhere.list_running(ADMIN) if each.user_id == "ann"] == []


def test_an_administrator_kills_a_query_for_a_reason_that_its_user_is_told(
    world: World, elsewhere: DataExplorerService, asking: Callable[[User], Future[QueryResult]]
) -> None:
    ben = world.person("ben")
    answer = asking(ben)
    number = running(world, ben)
    with pytest.raises(UsageError, match="Give a reason"):
        elsewhere.kill(ADMIN, number, " ")
    with pytest.raises(NotPermittedError, match="requires the role admin"):
        elsewhere.kill(ben, number, "mine")
    shown = elsewhere.kill(ADMIN, number, "the machine is needed")
    assert (shown.query, shown.cancel_requested) == (None, True)
    with pytest.raises(QueryCancelledError, match="adm stopped it: the machine is needed"):
        answer.result(timeout=60)
    (entry,) = world.actions("adm", "query.kill")
    assert (entry.subject, entry.dataset, entry.reason) == (str(number), "crsp", "the machine is needed")
    assert (entry.old_value or {})["user"] == "ben"
    with pytest.raises(UsageError, match="is cancelled already"):
        elsewhere.kill(ADMIN, number, "again")
    with pytest.raises(UsageError, match="was not found"):
        elsewhere.kill(ADMIN, uuid4(), "who knows")


def test_what_waits_is_cancelled_at_once_and_never_runs(world: World, elsewhere: DataExplorerService) -> None:
    cat = world.person("cat", Role.OPERATOR)
    query, export = (
        world.service.submit_query(cat, "crsp", "SELECT 1"),
        world.service.submit_export(cat, "crsp", "SELECT 1"),
    )
    for each in (query, export):
        assert each.state == "queued"
        assert elsewhere.cancel(cat, each.id).state == "cancelled"
    with pytest.raises(UsageError, match="is cancelled already"):
        world.service.run_query(query.id)
    with pytest.raises(UsageError, match="is cancelled already"):
        world.service.run_export(export.id)
    assert world.audited("cat") == []


def test_what_is_cancelled_between_its_claim_and_its_run_never_runs(
    world: World, elsewhere: DataExplorerService
) -> None:
    dot = world.person("dot")
    request = world.service.submit_query(dot, "crsp", "SELECT 1").id
    door = Door(world.records, world.warehouse, world.settings, world.engine)
    claimed = claim(world.records, door.cipher, request)
    assert elsewhere.cancel(dot, request).cancel_requested
    with pytest.raises(QueryCancelledError, match="by its user"):
        execute(door, dot, claimed.asked, request_id=request)
    assert elsewhere.get_request(dot, request).state == "cancelled"
    assert [row.result for row in world.audited("dot")] == [None, "cancelled"]


def test_what_is_cancelled_while_its_rows_are_written_is_not_done(world: World) -> None:
    eva = world.person("eva")
    door = Door(world.records, world.warehouse, world.settings, world.engine)
    asked = Asked("crsp", "SELECT 1")
    with (
        pytest.raises(QueryCancelledError, match="by its user"),
        tickets.running(door, "eva", asked) as ticket,
        tickets.begin(door, ticket, 1),
    ):
        ticket.location = write_result(door.exports, "eva", ticket.id, pa.table({"a": [1]}))
        world.service.cancel(eva, ticket.id)
    ended = world.service.get_request(eva, ticket.id)
    assert (ended.state, ended.has_result) == ("cancelled", False)
    assert not ticket.location.parent.exists()


@pytest.mark.parametrize("who", ["its user", "an administrator"])
def test_what_is_stopped_after_its_last_look_at_that_is_not_done_either(world: World, who: str) -> None:
    eva = world.person(f"eva-{len(who)}")
    door = Door(world.records, world.warehouse, world.settings, world.engine)
    with (
        pytest.raises(QueryCancelledError, match=r"cancelled: .*(by its user|too long)"),
        tickets.running(door, eva.user_id, Asked("crsp", "SELECT 1")) as ticket,
    ):
        with tickets.begin(door, ticket, 1):
            ticket.location = write_result(door.exports, eva.user_id, ticket.id, pa.table({"v": [1]}))
        if who == "its user":
            assert world.service.cancel(eva, ticket.id).cancel_requested
        else:
            assert world.service.kill(ADMIN, ticket.id, "too long").cancel_requested
    ended = world.service.get_request(eva, ticket.id)
    assert (ended.state, ended.error_kind, ended.has_result) == ("cancelled", "cancelled", False)
    assert not [*(door.exports / eva.user_id).iterdir()]


def test_what_a_dead_process_ran_is_told_as_failed_and_can_be_cancelled(world: World) -> None:
    fay = world.person("fay")
    door = Door(world.records, world.warehouse, world.settings, world.engine)
    lost, cancelled = (world.service.submit_query(fay, "crsp", "SELECT 1").id for _ in range(2))
    for each in (lost, cancelled):
        claim(world.records, door.cipher, each)
        assert world.service.get_request(fay, each).state == "running"
        with world.records.transaction(SYSTEM) as connection:
            connection.execute(
                "UPDATE platform.query_requests SET updated_at = now() - interval '6 minutes' WHERE id = %s",
                (each,),
            )
    told = world.service.get_request(fay, lost)
    assert (told.state, told.error_kind) == ("failed", "lost")
    assert "ended before it was done" in str(told.error_message)
    assert world.service.cancel(fay, cancelled).state == "cancelled"
    assert world.service.run_query(lost).table.num_rows == 1
    with pytest.raises(UsageError, match="is cancelled already"):
        world.service.run_query(cancelled)


def test_a_submitted_query_runs_with_its_parameters_and_its_version_and_can_be_paged(world: World) -> None:
    dan = world.person("dan")
    sql = "SELECT date FROM crsp_daily WHERE permno = ? ORDER BY date"
    submitted = world.service.submit_query(dan, "crsp", sql, as_of=1, parameters=[10003])
    (stored,) = world.requests("dan")
    assert stored.parameters is not None
    assert b"10003" not in stored.parameters + stored.query_text
    world.service.run_query(submitted.id)
    page = world.service.get_result(dan, submitted.id)
    assert (page.dto.row_count, page.dto.versions, page.dto.total_rows) == (100, {"crsp_daily": 1}, 100)
    done = world.service.get_request(dan, submitted.id)
    assert (done.state, done.row_count, done.query_id, done.as_of) == ("done", 100, page.dto.query_id, "1")
    assert done.has_result
    with pytest.raises(UsageError, match="is not an export"):
        world.service.run_export(submitted.id)
    text = world.audited("dan")[0].query_text
    assert text is not None


def test_a_submitted_export_leaves_its_file(world: World) -> None:
    leo = world.person("leo", Role.OPERATOR)
    submitted = world.service.submit_export(leo, "crsp", "SELECT '=1' AS f", "csv", escape_formulas=True)
    with pytest.raises(UsageError, match="has no file: it is queued"):
        world.service.open_export(leo, submitted.id)
    job = world.service.run_export(submitted.id)
    assert job.export_id == submitted.id
    assert world.service.open_export(leo, job.export_id).path.read_text() == '"f"\n"\'=1"\n'
    with pytest.raises(UsageError, match="no such export format"):
        world.service.submit_export(leo, "crsp", "SELECT 1", "xlsx")  # type: ignore[arg-type]


def test_history_has_what_was_asked_and_how_it_ended(world: World) -> None:
    eve = world.person("eve")
    world.service.execute_query(eve, "crsp", "SELECT 1")
    failing: list[tuple[str, dict[str, object], type[PlatformError]]] = [
        ("SELECT nocol FROM crsp_daily", {}, UsageError),
        ("SELECT * FROM ff_factors_daily", {}, UsageError),
        ("DROP TABLE crsp_daily", {}, UsageError),
        (ENDLESS, {"timeout_seconds": 1}, QueryTimeoutError),
    ]
    for sql, options, error in failing:
        with pytest.raises(error):
            world.service.execute_query(eve, "crsp", sql, **options)  # type: ignore[arg-type]
    found = world.service.history(eve)
    assert [(each.state, each.error_kind) for each in found] == [
        ("failed", "timeout"), ("failed", "not_select"), ("failed", "cross_dataset"), ("failed", "unknown_name"),
        ("done", None),
    ]  # fmt: skip
    assert [each.query for each in found] == [*(sql for sql, _, _ in reversed(failing)), "SELECT 1"]
    assert "nocol" in str(found[3].error_message)
    assert [row.query_id for row in found] == sorted((row.query_id for row in found), reverse=True)
    stored = [each.error_message for each in world.requests("eve") if each.error_message]
    assert len(stored) == 4
    assert all(b"nocol" not in message for message in stored)
    assert len(world.service.history(eve, limit=2)) == 2
    assert world.service.history(eve, dataset="crsp") == found
    revoked = User("eve", Role.ANALYST, revocations=frozenset({"dataset:crsp"}))
    assert world.service.history(revoked) == []
    with pytest.raises(NotPermittedError, match="dataset:crsp"):
        world.service.history(revoked, dataset="crsp")
    with pytest.raises(UsageError, match="between 1 and 1,000"):
        world.service.history(eve, limit=0)


def test_somebody_elses_request_is_one_that_does_not_exist(world: World) -> None:
    flo, gus = world.person("flo"), world.person("gus", Role.ADMIN)
    number = world.service.execute_query(flo, "crsp", "SELECT 1").dto.request_id
    unknown = uuid4()
    for look in (world.service.get_request, world.service.cancel, world.service.get_result):
        answers = set[str]()
        for asked in (number, unknown):
            with pytest.raises(UsageError) as caught:
                look(gus, asked)
            answers.add(str(caught.value).replace(str(asked), "ID"))
        assert len(answers) == 1
    assert number not in {each.id for each in world.service.history(gus)}
    with pytest.raises(NotPermittedError, match="requires the role admin"):
        world.service.list_running(flo)
    vic = world.person("vic", Role.VIEWER)
    with pytest.raises(NotPermittedError, match="query:data"):
        world.service.history(vic)


def test_the_watch_lives_no_longer_than_what_it_watches(world: World) -> None:
    hal = world.person("hal")
    world.service.execute_query(hal, "crsp", "SELECT 1")

    def gone() -> bool:
        return not [each for each in threading.enumerate() if each.name == "cancelled-requests"]

    assert eventually(gone)
