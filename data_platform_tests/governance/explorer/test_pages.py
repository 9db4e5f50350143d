"""Pages of a result that is kept: the same rows, for one user, under the permissions of now."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest
from itsdangerous import TimestampSigner
from pydantic import SecretStr

from data_platform.errors import NotPermittedError, PlatformError, UsageError
from data_platform.governance.audit_key import new_key, open_cipher
from data_platform.governance.explorer import QueryResult, cursors
from data_platform.governance.explorer.cursors import Cursor
from data_platform.governance.permissions import Role, User
from data_platform.warehouse import Warehouse
from data_platform.warehouse.disk import assess
from data_platform_tests.governance.explorer.conftest import World
from data_platform_tests.governance.market import crsp_rows, publish

QUERY = "SELECT permno, date, ret FROM crsp_daily"


def first_page(world: World, user: User, query: str = QUERY, page_size: int = 300) -> QueryResult:
    return world.service.execute_query(user, "crsp", query, page_size=page_size)


def the_rest(world: World, user: User, page: QueryResult) -> list[QueryResult]:
    found: list[QueryResult] = []
    cursor = page.dto.cursor
    while cursor is not None:
        found.append(world.service.next_page(user, cursor, "192.0.2.7"))
        cursor = found[-1].dto.cursor
    return found


def test_the_pages_of_a_query_are_one_result_whatever_is_published_meanwhile(world: World) -> None:
    ann = world.person("ann")
    first = first_page(world, ann)
    publish(world.warehouse, "crsp", "crsp_daily", "2022", crsp_rows(days=7))
    pages = [first, *the_rest(world, ann, first)]
    assert [(p.dto.page, p.dto.pages, p.dto.row_count) for p in pages] == [(1, 3, 300), (2, 3, 300), (3, 3, 150)]
    assert [(p.dto.truncated, p.dto.truncated_by) for p in pages] == [(True, "page_size")] * 2 + [(False, None)]
    assert {(p.dto.query_id, p.dto.request_id, p.dto.versions["crsp_daily"]) for p in pages} == {
        (first.dto.query_id, first.dto.request_id, 2)
    }
    assert [p.dto.remaining_queries for p in pages] == [999] * 3
    rows = pa.concat_tables([p.table for p in pages])
    again = world.service.execute_query(ann, "crsp", QUERY, as_of=2)
    order = [("permno", "ascending"), ("date", "ascending")]
    assert rows.sort_by(order).equals(again.table.sort_by(order))
    assert again.dto.cursor is None
    entries = world.actions("ann", "query.page")
    assert [entry.new_value for entry in entries] == [
        {"query_id": first.dto.query_id, "page": 2, "rows": 300},
        {"query_id": first.dto.query_id, "page": 3, "rows": 150},
    ]
    assert {(entry.subject, entry.client_ip) for entry in entries} == {(str(first.dto.request_id), "192.0.2.7")}
    (kept,) = [Path(str(r.result_location)) for r in world.requests("ann") if r.result_location]
    assert kept.parent == world.settings.warehouse_root / "exports" / "ann" / str(first.dto.request_id)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kept, kept.parent)] == [0o600, 0o700]


def test_a_cursor_that_leads_nowhere_is_always_the_same_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ben, eve = world.person("ben"), world.person("eve")
    page = first_page(world, ben)
    good = str(page.dto.cursor)
    cipher = open_cipher(world.settings)

    def signed(**changed: object) -> str:
        values = {"user_id": "ben", "request_id": page.dto.request_id, "versions": cursors.digest(page.dto.versions)}
        return cursors.sign(cipher, Cursor(**{**values, "offset": 300, "page_size": 300, **changed}))  # type: ignore[arg-type]

    assert world.service.next_page(ben, signed()).dto.page == 2
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) - 24 * 3600 - 2)
        expired = signed()
    other_key = world.settings.model_copy(update={"home": world.settings.home / "other"})
    foreign_key = cursors.sign(open_cipher(other_key), Cursor("ben", page.dto.request_id, "", 300, 300))
    middle = len(good) // 3
    changed = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    worthless = [
        "", "nonsense", good[:-1], changed, good + "A", "x" * 100_000, expired, foreign_key, "\ud800", "İ.ß",
        signed(user_id="eve"), signed(request_id=UUID(int=0)), signed(versions="of others"),
        signed(offset=page.dto.total_rows), signed(offset=10**9),
    ]  # fmt: skip
    messages = set()
    for user, cursor in [(eve, good), *((ben, each) for each in worthless)]:
        with pytest.raises(UsageError) as caught:
            world.service.next_page(user, cursor)
        messages.add(str(caught.value))
    assert messages == {"This cursor leads to no page. Cursors last 24 hours; run the query again."}


def test_a_cursor_outlives_a_change_of_the_key(world: World) -> None:
    dan = world.person("dan")
    old, new = new_key(), new_key()
    before = world.with_settings(query_audit_encryption_key=SecretStr(old))
    after = world.with_settings(query_audit_encryption_key=SecretStr(f"{new},{old}"))
    without = world.with_settings(query_audit_encryption_key=SecretStr(new))
    cursor = str(before.execute_query(dan, "crsp", QUERY, page_size=300).dto.cursor)
    assert after.next_page(dan, cursor).dto.page == 2
    with pytest.raises(UsageError, match="leads to no page"):
        without.next_page(dan, cursor)


def test_the_permission_counts_that_is_held_when_the_page_is_asked_for(world: World) -> None:
    cat = world.person("cat")
    page = first_page(world, cat)
    revoked = User("cat", Role.ANALYST, revocations=frozenset({"dataset:crsp"}))
    with pytest.raises(NotPermittedError, match="Access to crsp requires dataset:crsp"):
        world.service.next_page(revoked, str(page.dto.cursor))
    assert world.audited("cat")[-1].result == "denied"
    assert world.actions("cat", "query.page") == []
    with pytest.raises(NotPermittedError):
        world.service.get_result(revoked, page.dto.request_id)


def test_of_a_larger_result_the_first_hundred_thousand_rows_can_be_had(world: World) -> None:
    flo = world.person("flo")
    first = first_page(world, flo, "SELECT * FROM range(100001)", page_size=10_000)
    assert (first.dto.pages, first.dto.total_rows, first.dto.total_is_minimum) == (None, 100_000, True)
    pages = the_rest(world, flo, first)
    last = pages[-1].dto
    assert (len(pages), last.page, last.truncated, last.truncated_by, last.cursor) == (9, 10, True, "kept_rows", None)
    assert pages[-1].table["range"][-1].as_py() == 99_999
    beyond = world.service.execute_query(flo, "crsp", "SELECT * FROM range(100001)", page=11)
    assert (beyond.table["range"].to_pylist(), beyond.dto.truncated, beyond.dto.cursor) == ([100_000], False, None)


def test_a_result_that_has_no_room_in_parquet_has_its_pages_by_number(world: World) -> None:
    gus = world.person("gus")
    query = "SELECT range, INTERVAL (range) DAY AS i FROM range(5) ORDER BY range"
    page = first_page(world, gus, query, page_size=3)
    assert (page.dto.truncated, page.dto.truncated_by, page.dto.cursor) == (True, "page_size", None)
    second = world.service.execute_query(gus, "crsp", query, page=2, page_size=3)
    assert second.table["range"].to_pylist() == [3, 4]


def test_a_result_that_is_gone_has_no_more_pages(world: World) -> None:
    hal = world.person("hal")
    page = first_page(world, hal)
    world.installation.tamper(
        "UPDATE platform.query_requests SET expires_at = now() - interval '1 second' WHERE user_id = 'hal'"
    )
    with pytest.raises(UsageError, match="leads to no page"):
        world.service.next_page(hal, str(page.dto.cursor))
    with pytest.raises(UsageError, match="has no result any more"):
        world.service.get_result(hal, page.dto.request_id)
    assert not world.service.get_request(hal, page.dto.request_id).has_result
    world.installation.tamper(
        "UPDATE platform.query_requests SET expires_at = now() + interval '1 hour' WHERE user_id = 'hal'"
    )
    for file in (world.settings.warehouse_root / "exports" / "hal").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(UsageError, match="leads to no page"):
        world.service.next_page(hal, str(page.dto.cursor))


def test_a_disk_that_is_too_full_for_syncs_keeps_no_results(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    max_ = world.person("max", Role.OPERATOR)
    full = assess(free_bytes=10**9, used_bytes=10**11)
    monkeypatch.setattr(Warehouse, "disk", lambda _: full)
    page = first_page(world, max_)
    assert (page.dto.row_count, page.dto.truncated, page.dto.cursor) == (300, True, None)
    request = world.service.submit_query(max_, "crsp", QUERY).id
    for refused in (
        lambda: world.service.run_query(request),
        lambda: world.service.export_data(max_, "crsp", QUERY),
    ):
        with pytest.raises(PlatformError, match="no room on the server"):
            refused()
    assert not (world.settings.warehouse_root / "exports" / "max").exists()
