"""Years side by side: what can be asked for, or run, as one range. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def stretches(partitions: Iterable[str]) -> list[list[str]]:
    """Cut yearly partitions into stretches of adjacent years, oldest first."""
    found: list[list[str]] = []
    for partition in sorted(partitions):
        if found and int(found[-1][-1]) + 1 == int(partition):
            found[-1].append(partition)
        else:
            found.append([partition])
    return found
