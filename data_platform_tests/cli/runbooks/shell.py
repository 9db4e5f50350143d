"""Running what a page has typed: a plain `data-platform` command in this process, anything else in bash."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from data_platform_tests.cli.conftest import environment, run_with

_ASSIGNED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_FOR_BASH: Final = re.compile(r"[$`*?~\n]|(?<!\S)[|&;<>(){}]|[|&;<>]")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"$`]*\"")
_OF_THE_SHELL: Final = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "BASH_FUNC"})


@dataclass
class Shell:
    """A terminal of the machine: its folder, and its environment as the commands before have left it."""

    folder: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        tools = self.folder / "bin"
        tools.mkdir()
        command = tools / "data-platform"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m data_platform.cli "$@"\n')
        command.chmod(0o755)
        paths = {"PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        checkout = str(Path(__file__).resolve().parents[3])
        self.variables = {**environment(self.home), **paths, "PYTHONPATH": checkout, **self.variables}

    def run(self, text: str) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed, errors included."""
        words = _words(text)
        if words is None:
            return self._bash(text)
        own = {name: value for name, _, value in (word.partition("=") for word in words[0])}
        return run_with({**self.variables, **own}, *words[1])

    def _bash(self, text: str) -> tuple[int, str]:
        kept = self.folder / "environment"
        script = f"{text}\ncode=$?\nenv -0 > {kept}\nexit $code"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            env=self.variables,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
        self.variables = {name: value for name, _, value in pairs if name not in _OF_THE_SHELL}
        return done.returncode, done.stdout


def _words(text: str) -> tuple[list[str], list[str]] | None:
    """The variables and arguments of a plain `data-platform` command; None for what only a shell understands."""
    bare = _QUOTED.sub("", text.partition("  #")[0])
    if _FOR_BASH.search(bare):
        return None
    words = shlex.split(text, comments=True)
    count = next((index for index, word in enumerate(words) if not _ASSIGNED.match(word)), len(words))
    if words[count : count + 1] != ["data-platform"]:
        return None
    return words[:count], words[count + 1 :]
