"""Reading a runbook: its set-ups and commands in order, and what it leaves to people (docs/runbooks/README.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONSOLE: Final = "console"
CONFIGURATION: Final = frozenset({"yaml", "nginx", "json"})
"""Languages of blocks that are read and not run; none of them may hold a command."""

_SETUP: Final = re.compile(r"<!-- setup: (?P<name>[a-z0-9-]+) -->")
_NOT_RUN: Final = re.compile(r"Not run by the tests: needs (?P<reason>.+)\.$")
_EXITS: Final = re.compile(r"#.*\bexits with (?P<code>\d+)\s*$")
_FENCE: Final = re.compile(r"\s*```(?P<language>\S*)\s*$")


class PageError(Exception):
    """A page that is not in the form: where, and what is wrong."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """Make something so, by the fixture of that name."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, the exit code that the page states (0 unless it says so), and the lines that it shows."""

    line: int
    text: str
    code: int
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotRun:
    """A block that no test machine can run, and what it would need."""

    line: int
    reason: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its lines, the line of the page before them, and the text that leads to it."""

    language: str
    lines: tuple[str, ...]
    line: int
    before: str


Step = SetUp | Command | NotRun


def read_page(path: Path) -> list[Step]:
    """Return what a page says, in its order.

    Raises:
        PageError: when it is not in the form.
    """
    steps: list[Step] = []
    for part in _parts(path):
        if isinstance(part, SetUp):
            steps.append(part)
        elif part.language == CONSOLE:
            steps += _console(path, part)
        elif part.language not in CONFIGURATION:
            raise PageError(f"{path.name}:{part.line}: a block of {part.language or 'no language'}")
        elif any("data-platform " in line for line in part.lines):
            raise PageError(f"{path.name}:{part.line}: a command in a block that is not run")
    return steps


def _parts(path: Path) -> Iterator[SetUp | Block]:
    """Set-ups and fenced blocks. Code that is indented instead would be run by nobody, so it is refused."""
    language: str | None = None
    block: list[str] = []
    start, before, indent, last = 0, "", 0, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if language is None and fence:
            language, block, start, before = fence["language"], [], number, last
            indent = len(line) - len(line.lstrip())
        elif language is not None and fence:
            yield Block(language, tuple(block), start, before)
            language = None
        elif language is not None:
            block.append(line[indent:])
        elif line.startswith("    ") and not last.startswith((" ", "- ", *(f"{digit}." for digit in range(10)))):
            raise PageError(f"{path.name}:{number}: an indented block; fence it")
        elif setup := _SETUP.fullmatch(line.strip()):
            yield SetUp(number, setup["name"])
        elif line.strip():
            last = line.rstrip()
    if language is not None:
        raise PageError(f"{path.name}:{start}: the block does not end")


def _console(path: Path, block: Block) -> list[Step]:
    commands: list[Command] = []
    text: list[str] = []
    shown: list[str] = []
    start = block.line
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            commands += _command(start, text, shown)
            start, text, shown = number, [line[2:]], []
        elif not text:
            raise PageError(f"{path.name}:{number}: a console block begins with a command: $ …")
        elif (line == ">" or line.startswith("> ")) and not shown:
            text.append(line[2:])
        else:
            shown.append(line)
    commands += _command(start, text, shown)
    if not commands:
        raise PageError(f"{path.name}:{block.line}: an empty block")
    left_out = _NOT_RUN.search(block.before)
    if left_out:
        return [NotRun(block.line, left_out["reason"], tuple(each.text for each in commands))]
    return list(commands)


def _command(line: int, text: list[str], shown: list[str]) -> list[Command]:
    if not text:
        return []
    whole = "\n".join(text)
    if shown and not any(each.strip("… ") for each in shown):
        raise PageError(f"line {line}: nothing is said of what this prints: {whole}")
    exits = _EXITS.search(text[-1])
    return [Command(line, whole, int(exits["code"]) if exits else 0, tuple(shown))]
