"""Log lines that wait in files, and processes that have the records of a test."""

from __future__ import annotations

import base64
import datetime as dt
import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path

from data_platform.records import sync_logs
from data_platform.records.connection import Records
from data_platform.records.databases import Databases
from data_platform.records.pending_lines import FOLDER, PendingLines
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import NewLine, SyncLog

NOON = dt.datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=dt.UTC)
RUN = uuid.UUID(int=9)

_BEGIN = """
import base64, os, pickle, signal, sys
from pathlib import Path
from data_platform.records.connection import connect_records
home = Path(sys.argv[1])
databases = pickle.loads(base64.b64decode(os.environ["DATABASES"]))
"""


def line(number: int, **fields: object) -> NewLine:
    """The n-th line: a second after the one before."""
    given: dict[str, object] = {
        "line_id": uuid.uuid4(),
        "created_at": NOON + dt.timedelta(seconds=number),
        "dataset": "crsp",
        "table_name": "crsp_daily",
        "level": "INFO",
        "message": f"line {number}",
        "extra": {"n": number},
        "sync_run_id": RUN,
        **fields,
    }
    return NewLine(**given)  # type: ignore[arg-type]


def left(home: Path, lines: list[NewLine]) -> Path:
    """Leave a file of lines, as a process that has ended; return it."""
    pending = PendingLines(home)
    before = set(waiting(home))
    pending.append(lines, "a test")
    pending.close()
    (path,) = set(waiting(home)) - before
    return path


def waiting(home: Path) -> list[Path]:
    """The files that wait in a home."""
    return sorted((home / FOLDER).glob("pending-*.jsonl"))


def stored(records: Records) -> list[SyncLog]:
    """Every stored line, oldest first."""
    with records.transaction(Scope.system("test")) as connection:
        return sync_logs.recent(connection, limit=100_000)[::-1]


def messages(records: Records) -> list[str]:
    """What they say."""
    return [each.message for each in stored(records)]


def begin(code: str, home: Path, databases: Databases) -> subprocess.Popen[str]:
    """Start a process that runs `code`, to which `home`, `databases` and `connect_records` are known."""
    return subprocess.Popen(
        [sys.executable, "-c", _BEGIN + code, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASES": base64.b64encode(pickle.dumps(databases)).decode(),
        },
    )
