"""The asking side of the protocol: one worker process per store, in the environment that the store needs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PROJECT: Final = Path(__file__).resolve().parents[1]
PEER_PYTHON: Final = PROJECT / ".venv-bench" / "bin" / "python"
OWN: Final = frozenset({"ours", "files", "plain"})
"""Stores that need nothing but the platform's own environment."""


class StoreFailedError(Exception):
    """A store raised; its own words are the message."""


class Worker:
    """A store's process. Killed on the way out, so nothing of it outlives the benchmark."""

    def __init__(self, store: str, inputs: Path) -> None:
        self.store = store
        self.peak_mb = 0
        python = sys.executable if store in OWN else str(PEER_PYTHON)
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", "benchmarks.worker", store, str(inputs)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def call(self, op: str, **arguments: object) -> dict[str, Any] | None:
        """Do one operation; None when the store has no such thing.

        Raises:
            StoreFailedError: when the store raised, or its process died.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("the worker was started with pipes")
        try:
            stdin.write(json.dumps({"op": op, **arguments}) + "\n")
            stdin.flush()
            line = stdout.readline()
        except (BrokenPipeError, ValueError):  # its end of the pipe is closed, or ours is
            line = ""
        if not line:
            raise StoreFailedError(f"{self.store}: its process ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        self.peak_mb = max(self.peak_mb, answer["peak_mb"])
        if "error" in answer:
            raise StoreFailedError(f"{self.store}, {op}: {answer['error']}")
        return None if "unsupported" in answer else answer

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
