"""Holding what a command printed against what a page shows of it.

All of the output must be shown. `…` in a line stands for any text, `…` alone for any number of lines, `<name>` for one
word, which has that name from then on. How many spaces there are, empty lines and the rules of tables don't count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_ELLIPSIS: Final = "…"
_NAME: Final = re.compile(r"<([a-z][a-z-]*)>")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def fill(text: str, names: Mapping[str, str]) -> str:
    """Put the words that names stand for into a command.

    Raises:
        KeyError: when nothing has bound a name.
    """
    return _NAME.sub(lambda found: names[found[1]], text)


def match(shown: Sequence[str], printed: str, names: Mapping[str, str]) -> dict[str, str] | str:
    """Return the names that the output binds, or what is not as shown."""
    wanted = [line for line in map(_plain, shown) if line]
    found = [line for line in map(_plain, printed.splitlines()) if line]
    text = "".join(f"{line}\n" for line in found)
    whole = _whole(wanted, names).fullmatch(text)
    if whole:
        return {name.replace("_", "-"): value for name, value in whole.groupdict().items()}
    for count in range(1, len(wanted) + 1):
        if not _whole([*wanted[:count], _ELLIPSIS], names).fullmatch(text):
            return f"not printed (or not in this place): {wanted[count - 1]!r}"
    return "more was printed than is shown"


def _whole(wanted: Sequence[str], names: Mapping[str, str]) -> re.Pattern[str]:
    taken: set[str] = set()
    return re.compile("".join(_line(line, names, taken) for line in wanted))


def _line(line: str, names: Mapping[str, str], taken: set[str]) -> str:
    if line == _ELLIPSIS:
        return r"(?:[^\n]*\n)*?"
    pattern = ""
    for index, part in enumerate(_NAME.split(line)):
        if index % 2 == 0:
            pattern += r"[^\n]*?".join(re.escape(piece) for piece in part.split(_ELLIPSIS))
        elif part in names:
            pattern += re.escape(names[part])
        elif part in taken:
            pattern += f"(?P={part.replace('-', '_')})"
        else:
            taken.add(part)
            pattern += rf"(?P<{part.replace('-', '_')}>[^\s,;]+)"
    return pattern + r"\n"


def _plain(line: str) -> str:
    words = " ".join(_COLOUR.sub("", line).split())
    return "" if words and not words.strip("─━ ") else words
