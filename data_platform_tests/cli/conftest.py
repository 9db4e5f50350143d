"""One home with the demo in it, made by the command itself; tests that change it take a copy of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pytest

from data_platform.cli import main
from data_platform_tests.folders import short_folder

COMMAND = (sys.executable, "-m", "data_platform.cli")


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        return json.loads(self.out)


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The environment without the developer's settings, with this home and these variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATA_PLATFORM_", "PG", "DAGSTER_")) and name != "QUERY_AUDIT_ENCRYPTION_KEY"
    }
    return {**kept, "DATA_PLATFORM_HOME": str(home), **variables}


def run(home: Path, *arguments: str, **variables: str) -> Ran:
    """Run `data-platform` as a user would: a process of its own, nothing on standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, **variables),
        cwd=home.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def run_here(home: Path, *arguments: str, **variables: str) -> Ran:
    """Run the command in this process, which spares it the second of its imports; everything else is the same."""
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    code = _main(environment(home, **variables), arguments, out, err)
    out.seek(0)
    return Ran(code, out.read(), err.getvalue())


def run_with(variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run it so in exactly this environment; return its exit code and what a terminal would show."""
    both = io.TextIOWrapper(io.BytesIO(), write_through=True)
    code = _main(variables, arguments, both, both)
    both.seek(0)
    return code, both.read()


def _main(variables: dict[str, str], arguments: tuple[str, ...], out: TextIO, err: TextIO) -> int:
    kept, arguments_before, handler = dict(os.environ), sys.argv, signal.getsignal(signal.SIGTERM)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["data-platform", *arguments]
    code: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main.run()
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        os.environ.clear()
        os.environ.update(kept)
        sys.argv = arguments_before
        signal.signal(signal.SIGTERM, handler)
    assert isinstance(code, int)
    return code


@pytest.fixture(scope="session")
def demo() -> Iterator[tuple[Path, Ran]]:
    """A home after `data-platform demo`, and what the command printed."""
    root = short_folder()
    ran = run(root / "h", "demo")
    shutil.copytree(root / "h", root / "untouched", symlinks=True)
    yield root / "h", ran
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def untouched_demo_home(demo: tuple[Path, Ran]) -> Path:
    """The demo's home as the demo left it, whatever tests have done to `demo_home` since; to be copied, not used."""
    assert demo[1].code == 0, demo[1].err
    return demo[0].parent / "untouched"


@pytest.fixture(scope="session")
def demo_home(demo: tuple[Path, Ran]) -> Path:
    assert demo[1].code == 0, demo[1].err
    return demo[0]


@pytest.fixture
def platform(demo_home: Path) -> Callable[..., Ran]:
    """Run a command in the demo's home; the limit on queries is out of the tests' way unless one sets it."""

    def call(*arguments: str, **variables: str) -> Ran:
        return run_here(demo_home, *arguments, **{"DATA_PLATFORM_QUERIES_PER_MINUTE": "1000", **variables})

    return call
