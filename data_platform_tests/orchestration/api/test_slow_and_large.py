"""What is too large, too slow or too many at once harms nobody else, over real sockets."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import psutil
import pytest

from data_platform.orchestration.webserver.bounds import MOST_API_BYTES, Bounds
from data_platform.records import tokens, users
from data_platform_tests.orchestration.api.served import ROWS, Served, listening_to
from data_platform_tests.orchestration.webserver.world import SYSTEM
from data_platform_tests.records.processes import eventually

QUERY = {"dataset": "crsp", "sql": "SELECT count(*) AS n FROM crsp_daily", "wait_seconds": 30}
HUGE = 100 * 1024 * 1024
MIB = 1024 * 1024


@pytest.fixture
def hasty(served: Served) -> Iterator[int]:
    """The port of the same application with little patience: a second for everything."""
    with listening_to(Bounds(served.app, patience_seconds=1), head_seconds=1) as url:
        yield int(url.rpartition(":")[2])


def line(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    return opened


def head(served: Served, method: str, path: str, *more: str, person: str = "analyst") -> bytes:
    lines = [
        f"{method} /api/v1/{path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {served.world.tokens[person]}",
        "Content-Type: application/json",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def everything(opened: socket.socket) -> bytes:
    """What the server sends until it closes."""
    found = b""
    try:
        while piece := opened.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def test_a_body_of_a_hundred_megabytes_is_refused_after_its_first_64_kib(served: Served) -> None:
    before = psutil.Process().memory_info().rss
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        while sent < HUGE:
            sent += MIB
            yield b"x" * MIB

    with served.http("analyst") as http:
        said = http.post("queries", content=b"x" * (MOST_API_BYTES + 1), headers={"content-type": "application/json"})
        assert (said.status_code, said.json()["kind"]) == (413, "usage")
        try:
            chunked = http.post("queries", content=pieces(), headers={"content-type": "application/json"})
            assert chunked.status_code == 413
        except httpx.WriteError:
            pass  # The server closed while we were still writing.
        assert http.get("datasets").status_code == 200
    assert sent < HUGE, "the server took it all"
    assert psutil.Process().memory_info().rss - before < HUGE // 2


def test_a_length_that_lies_is_not_believed(served: Served) -> None:
    for said, status in (("9" * 30, b" 400 "), ("-1", b" 400 "), (str(HUGE), b" 413 ")):
        with line(served.port) as opened:
            opened.sendall(head(served, "POST", "queries", f"Content-Length: {said}"))
            assert status in everything(opened).split(b"\r\n")[0]
    with line(served.port) as opened:
        # Shorter than what follows: the rest is no request.
        opened.sendall(head(served, "POST", "queries", "Content-Length: 2", "Connection: close") + b"{}" + b"x" * 1_000)
        assert b" 422 " in everything(opened).split(b"\r\n")[0]


def test_a_head_without_end_is_refused(served: Served) -> None:
    with line(served.port) as opened:
        try:
            for _ in range(200):
                opened.sendall(
                    b"GET /api/v1/datasets HTTP/1.1\r\n" if not _ else b"X-Filler: " + b"x" * 4_000 + b"\r\n"
                )
        except (ConnectionResetError, BrokenPipeError):
            return
        assert b" 400 " in everything(opened)[:40]


def test_whoever_sends_or_reads_slowly_is_cut_off_and_nobody_waits_for_them(served: Served, hasty: int) -> None:
    with ExitStack() as stack:
        silent, halves, bodies = ([stack.enter_context(line(hasty)) for _ in range(10)] for _ in range(3))
        for each in halves:
            each.sendall(b"GET /api/v1/datasets HTTP/1.1\r\nHost: 127.0")
        for each in bodies:
            each.sendall(head(served, "POST", "queries", "Content-Length: 50") + b'{"dataset"')
        began = time.monotonic()
        url = f"http://127.0.0.1:{hasty}/api/v1/"
        bearer = {"authorization": f"Bearer {served.world.tokens['analyst']}"}
        with httpx.Client(base_url=url, headers=bearer, timeout=60, trust_env=False) as http:
            assert http.post("queries", json=QUERY).json()["rows"] == [{"n": ROWS}]
        for each in [*silent, *halves]:
            assert everything(each) == b""
        for each in bodies:
            assert b" 408 " in everything(each)[:40]
        assert time.monotonic() - began < 30


def test_a_reader_that_sleeps_holds_no_thread_and_loses_the_line(served: Served, hasty: int) -> None:
    wide = {"dataset": "crsp", "sql": "SELECT a.*, b.prc AS p FROM crsp_daily a, crsp_daily b LIMIT 90000"}
    with served.http("operator") as http:
        export = http.post("exports", json=wide).json()["export_id"]

    def connections() -> int:
        found = psutil.Process().net_connections("tcp")
        return sum(each.status == "ESTABLISHED" and bool(each.laddr) and each.laddr.port == hasty for each in found)

    with ExitStack() as stack:
        readers = [stack.enter_context(line(hasty)) for _ in range(12)]
        for each in readers:
            each.sendall(head(served, "GET", f"exports/{export}/file", person="operator"))
            assert each.recv(12) == b"HTTP/1.1 200"
        # More of them than there are threads, and the next one is answered all the same.
        url = f"http://127.0.0.1:{hasty}/api/v1/"
        bearer = {"authorization": f"Bearer {served.world.tokens['operator']}"}
        with httpx.Client(base_url=url, headers=bearer, timeout=60, trust_env=False) as http:
            assert http.get("datasets").status_code == 200
        assert eventually(lambda: connections() == 0, 30), "a sleeping reader keeps its connection"


def test_two_hundred_clients_at_once_are_answered_or_told_to_come_back(served: Served, torture: bool) -> None:
    seed = random.randrange(2**32) if torture else 7  # noqa: S311 - no secret
    chance = random.Random(seed)  # noqa: S311 - as above
    people = [f"crowd{number}" for number in range(8)]
    with served.world.records.transaction(SYSTEM) as connection:
        for person in people:
            if users.get(connection, person) is None:
                users.add(connection, person, "analyst")
                served.world.tokens[person] = tokens.create(connection, person).secret
    asked = [(chance.choice(people), chance.choice(["query", "datasets", "alerts", "wrong"])) for _ in range(200)]
    threads = threading.active_count()

    def ask(one: tuple[str, str]) -> tuple[str, int]:
        person, what = one
        with served.http(person) as http:
            if what == "query":
                answer = http.post("queries", json=QUERY)
                assert answer.status_code != 200 or answer.json()["rows"] == [{"n": ROWS}]
            elif what == "wrong":
                answer = http.post("queries", json={**QUERY, "dataset": "compustat"})
            else:
                answer = http.get(what)
            if answer.status_code == 503:
                assert answer.json()["error"]
            return what, answer.status_code

    with ThreadPoolExecutor(200) as pool:
        answered = list(pool.map(ask, asked))
    expected = {"query": {200, 503}, "datasets": {200}, "alerts": {200}, "wrong": {403}}
    assert [each for each in answered if each[1] not in expected[each[0]]] == [], f"seed {seed}"
    assert ("query", 200) in answered
    assert eventually(lambda: threading.active_count() <= threads + 100, 30)
