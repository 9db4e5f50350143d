"""Walks every interleaving of a model, breadth first, so that a counterexample is as short as can be."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from data_platform_tests.warehouse.faults.protocol import Protocol, World, Writer, breaches, finished, steps


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many states there are, what goes wrong if anything does, and the steps that lead there."""

    states: int
    breach: str | None
    steps: tuple[str, ...] = ()


def check(protocol: Protocol, *, writers: int, crashes: int, forced: int, only: str | None = None) -> Verdict:
    """Look at every state that can be reached, until one breaches the rules or has no way to the end.

    With `only`, other breaches than that one are passed over.
    """
    first = World(tuple(Writer() for _ in range(writers)), crashes=crashes, forced=forced)
    number = {first: 0}
    came: list[tuple[int, str]] = [(-1, "")]
    into: list[list[int]] = [[]]
    ends: list[int] = []
    queue = deque([first])
    while queue:
        world = queue.popleft()
        here = number[world]
        for broken in breaches(world):
            if only in {None, broken}:
                return Verdict(len(number), broken, _way(came, here))
        if finished(world):
            ends.append(here)
        for label, after in steps(protocol, world):
            there = number.setdefault(after, len(number))
            if there == len(came):
                came.append((here, label))
                into.append([])
                queue.append(after)
            into[there].append(here)
    stuck = _without_way(into, ends)
    if stuck is not None:
        return Verdict(len(number), "somebody can never finish", _way(came, stuck))
    return Verdict(len(number), None)


def _without_way(into: list[list[int]], ends: list[int]) -> int | None:
    """The first state from which no end can be reached."""
    can_end = bytearray(len(into))
    queue = deque(ends)
    while queue:
        here = queue.popleft()
        if not can_end[here]:
            can_end[here] = 1
            queue.extend(into[here])
    missing = can_end.find(0)
    return missing if missing >= 0 else None


def _way(came: list[tuple[int, str]], here: int) -> tuple[str, ...]:
    labels: list[str] = []
    while here > 0:
        here, label = came[here]
        labels.append(label)
    return tuple(reversed(labels))
