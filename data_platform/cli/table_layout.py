"""Which columns of a table keep their cells whole, and how many fit side by side. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

LONGEST_NAME: Final = 40
"""Up to here a cell without a space is a name or an id, which is copied and searched for; all else is prose."""
NARROWEST: Final = 12
"""Characters below which prose is no longer read but spelled."""
_MARGIN, _BETWEEN = 2, 3


def keeps_whole(cells: Sequence[str]) -> bool:
    """Whether a column holds names, ids, numbers or moments, none of which may be broken over lines."""
    return all(len(cell) <= LONGEST_NAME and (" " not in cell or cell[:1].isdigit()) for cell in cells)


def least_width(name: str, cells: Sequence[str]) -> int:
    """How many characters a column needs to be read."""
    widest = max([len(cell) for cell in cells], default=0)
    needed = widest if keeps_whole(cells) else min(widest, NARROWEST)
    return max([needed, *(len(word) for word in name.split())])


def how_many_fit(widths: Sequence[int], room: int) -> int:
    """How many columns, from the left and at least one, fit into so many characters."""
    return len(which_fit(widths, room, ()))


def which_fit(widths: Sequence[int], room: int, essential: Collection[int]) -> list[int]:
    """Which columns are shown: the essential ones, and from the left on the others for which there is room left.

    Where not even the essential ones fit, as many from the left as do.
    """
    left = room - _MARGIN - sum(widths[index] + _BETWEEN for index in essential)
    if essential and left < 0:
        return which_fit(widths, room, ())
    shown = set(essential)
    for index in [index for index in range(len(widths)) if index not in shown]:
        left -= widths[index] + _BETWEEN
        if left < 0:
            break
        shown.add(index)
    return sorted(shown) or list(range(len(widths)))[:1]


def share_out(least: Sequence[int], whole: Sequence[int], room: int) -> list[int]:
    """How wide each column becomes: as it is, and, where that is too much, the widest give way down to their least.

    The sum fits wherever `which_fit` says so; a table that is wider would be cut at its right, in mid-word.
    """
    # None ends up wider than the room: a text of megabytes need not be brought down to that one by one.
    widths = [max(needed, min(wanted, room)) for needed, wanted in zip(least, whole, strict=True)]
    excess = sum(widths) + _BETWEEN * len(widths) + 1 - room
    while excess > 0:
        yielding = [index for index, width in enumerate(widths) if width > least[index]]
        if not yielding:
            break
        widest = max(yielding, key=lambda index: widths[index])
        widths[widest] -= 1
        excess -= 1
    return widths
