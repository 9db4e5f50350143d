"""`python -m benchmarks.query_unguarded FOLDER`: what statements get out of a DuckDB without a door.

A JSON text a line in, the evidence against it as a JSON list a line out, as `corpus.plain` of the tests finds it. Its
world is laid out anew whenever a statement has changed it. `Unguarded` is the asking side, which ends a process
that does not answer.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.client import PROJECT
from data_platform_tests.governance.corpus.plain import Plain
from data_platform_tests.governance.corpus.reading import fill

HUNG: Final = "no answer"
CRASHED: Final = "crashed"
_START_SECONDS: Final = 120.0
_ANSWER_SECONDS: Final = 20.0


class Unguarded:
    """The process with the DuckDB in it; started when it is first needed, and again when one has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0
        self._process: subprocess.Popen[str] | None = None

    def evidence(self, sql: str) -> list[str]:
        """What the statement got or changed that it must not; that it did not end counts as well."""
        process = self._process or self._start()
        if process.stdin is None:
            raise AssertionError("the process was started with pipes")
        process.stdin.write(json.dumps(sql) + "\n")
        process.stdin.flush()
        said = self._line(process, _ANSWER_SECONDS)
        if said:
            return json.loads(said)
        self.close()
        return [HUNG if said is None else CRASHED]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        self._started += 1
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.query_unguarded", str(self._folder / str(self._started))],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if not self._line(self._process, _START_SECONDS):
            raise AssertionError("the DuckDB without a door did not start")
        return self._process

    @staticmethod
    def _line(process: subprocess.Popen[str], seconds: float) -> str | None:
        """The next line; None when it does not come in time, and no text at the end."""
        if process.stdout is None:
            raise AssertionError("the process was started with pipes")
        readable, _, _ = select.select([process.stdout], [], [], seconds)
        return process.stdout.readline() if readable else None


def main() -> None:
    """Serve until the input ends."""
    plain = Plain(Path(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        # The world may have moved since the last statement.
        sql = fill(json.loads(line), plain.places())
        sys.stdout.write(json.dumps(sorted(plain.evidence(sql))) + "\n")
        sys.stdout.flush()
    plain.close()


if __name__ == "__main__":
    main()
