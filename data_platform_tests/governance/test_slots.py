"""Whose query runs next: the decision by itself, and many threads that want a place at once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_platform.errors import QueryCancelledError
from data_platform.governance.engine.cancellation import Cancellation
from data_platform.governance.engine.fair_queue import FairQueue
from data_platform.governance.engine.slots import EngineBusyError, QuerySlots
from data_platform_tests.records.processes import eventually


def test_users_are_served_in_turn_however_many_queries_one_of_them_sends() -> None:
    queue: FairQueue[str] = FairQueue(concurrent=1, per_user=1, waiting=10)
    assert queue.enter("ann", "a1") == ["a1"]
    for user, ticket in [("ann", "a2"), ("ann", "a3"), ("ann", "a4"), ("bob", "b1"), ("bob", "b2"), ("cy", "c1")]:
        assert queue.enter(user, ticket) == []
    served: list[str] = []
    user = "ann"
    while admitted := queue.leave(user):
        served += admitted
        user = {"a": "ann", "b": "bob", "c": "cy"}[admitted[0][0]]
    assert served == ["a2", "b1", "c1", "a3", "b2", "a4"]
    assert (queue.running, queue.waiting) == (0, 0)


def test_one_user_leaves_room_for_others_and_the_nameless_are_held_to_the_total_only() -> None:
    queue: FairQueue[str] = FairQueue(concurrent=4, per_user=2, waiting=10)
    assert [queue.enter("ann", ticket) for ticket in ("a1", "a2", "a3")] == [["a1"], ["a2"], []]
    assert [queue.enter("", ticket) for ticket in ("x1", "x2", "x3")] == [["x1"], ["x2"], []]
    assert queue.leave("") == ["x3"]
    assert queue.leave("ann") == ["a3"]


def test_a_full_queue_takes_nobody_in_and_who_gives_up_makes_room() -> None:
    queue: FairQueue[str] = FairQueue(concurrent=1, per_user=1, waiting=1)
    assert [queue.enter("ann", "a1"), queue.enter("bob", "b1"), queue.enter("cy", "c1")] == [["a1"], [], None]
    queue.give_up("bob", "b1")
    assert queue.enter("cy", "c1") == []
    assert queue.leave("ann") == ["c1"]


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "give up"]), st.sampled_from(["", "ann", "bob", "cy"]))))
def test_whatever_happens_no_cap_is_passed_and_no_place_stays_empty(steps: list[tuple[str, str]]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(concurrent=3, per_user=2, waiting=4)
    running: list[tuple[str, int]] = []
    waiting: list[tuple[str, int]] = []
    for number, (step, user) in enumerate(steps):
        ticket = (user, number)
        if step == "enter":
            admitted = queue.enter(user, ticket)
            assert (admitted is None) <= (len(waiting) == 4)
            waiting += [] if admitted is None else [ticket]
        elif step == "leave":
            ended = next((other for other in running if other[0] == user), None)
            admitted = queue.leave(user) if ended else []
            running = [other for other in running if other != ended]
        else:
            gone = next((other for other in waiting if other[0] == user), None)
            admitted = []
            if gone:
                queue.give_up(user, gone)
                waiting.remove(gone)
        for other in admitted or []:
            waiting.remove(other)
            running.append(other)
        counts = Counter(user for user, _ in running)
        assert len(running) <= 3
        assert all(count <= 2 for user, count in counts.items() if user)
        assert not [u for u, _ in waiting if len(running) < 3 and (u == "" or counts[u] < 2)]
        assert (queue.running, queue.waiting) == (len(running), len(waiting))


def test_many_threads_at_once_never_pass_a_cap_and_all_are_served() -> None:
    slots = QuerySlots(concurrent=4, per_user=2, waiting=200)
    lock = threading.Lock()
    inside: Counter[str] = Counter()
    too_many: list[Counter[str]] = []

    def one(number: int) -> str:
        user = f"user{number % 5}"
        with slots.held(user, "crsp", time.monotonic() + 120, Cancellation()):
            with lock:
                inside[user] += 1
                if inside.total() > 4 or inside[user] > 2:
                    too_many.append(inside.copy())
            time.sleep(random.random() / 200)  # noqa: S311 - so that they meet in many orders
            with lock:
                inside[user] -= 1
        return user

    with ThreadPoolExecutor(64) as threads:
        served = Counter(threads.map(one, range(200)))
    assert too_many == []
    assert served == {f"user{n}": 40 for n in range(5)}
    assert slots.present() == []


def test_a_cancelled_wait_ends_at_once_and_takes_no_place() -> None:
    slots = QuerySlots(concurrent=1, per_user=1, waiting=5)
    cancellation = Cancellation()
    caught: list[QueryCancelledError] = []

    def wait() -> None:
        try:
            with slots.held("bob", "crsp", time.monotonic() + 120, cancellation):
                raise AssertionError("it had no turn")
        except QueryCancelledError as error:
            caught.append(error)

    with slots.held("ann", "crsp", time.monotonic() + 120, Cancellation()):
        thread = threading.Thread(target=wait)
        thread.start()
        assert eventually(lambda: [query.user for query in slots.present() if query.waiting] == ["bob"])
        [ann, bob] = slots.present()
        assert (ann.user, ann.waiting, ann.dataset) == ("ann", False, "crsp")
        assert slots.cancel(bob.number, "too long.")
        thread.join(60)
    assert str(caught[0]) == "The query was cancelled: too long."
    assert not slots.cancel(bob.number, "again")
    with slots.held("cy", "crsp", time.monotonic() + 1, Cancellation()):
        assert [query.user for query in slots.present()] == ["cy"]


def test_who_finds_no_place_in_time_or_no_room_to_wait_is_told_so() -> None:
    slots = QuerySlots(concurrent=1, per_user=1, waiting=0)
    with slots.held("ann", "crsp", time.monotonic() + 1, Cancellation()):
        with (
            pytest.raises(EngineBusyError, match=r"Too many queries are waiting: 0\. Try again"),
            slots.held("bob", "crsp", time.monotonic() + 1, Cancellation()),
        ):
            pass
        late = QuerySlots(concurrent=1, per_user=1, waiting=1)
        with (
            late.held("ann", "crsp", time.monotonic() + 1, Cancellation()),
            pytest.raises(EngineBusyError, match="All 1 query workers are busy, and the query's time ran out"),
            late.held("bob", "crsp", time.monotonic() + 0.01, Cancellation()),
        ):
            pass
