"""Measuring one way out of the server: a process of its own, its wall time, processor time, memory and bytes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import BaseModel

from benchmarks.client import PEER_PYTHON, PROJECT
from benchmarks.extract_relation import YEAR
from data_platform.catalog import find_table
from data_platform.records.embedded.bootstrap import DEMO_DB
from data_platform.records.embedded.credentials import DEMO_READER, SUPERUSER
from data_platform.records.embedded.layout import PORT
from data_platform.records.embedded.service import EmbeddedServer
from data_platform.sources.wrds.query import query_text

OWN: Final = frozenset({"ours", "raw_sql"})
"""Ways that need nothing but the platform's own environment."""

TABLE: Final = find_table("crsp_daily")


class Taken(BaseModel):
    """What one run took: seconds of the whole process and of its imports, processor seconds, MB (10^6 bytes)."""

    rows: int
    seconds: float
    import_seconds: float
    cpu_seconds: float
    peak_mb: float


class WayFailedError(Exception):
    """A way ended with an error; its own last line is the message."""


def query() -> str:
    """The extract query of the catalog, bound to the year."""
    return query_text(TABLE) % {"start": f"'{YEAR}-01-01'", "end": f"'{YEAR + 1}-01-01'"}


def missing(way: str) -> bool:
    """Whether the environment of a way is not installed."""
    return way not in OWN and not PEER_PYTHON.exists()


def measure(server: EmbeddedServer, way: str, *, host: Path | None = None) -> Taken:
    """Run a way once, to a file that is thrown away; `host` is the folder of another socket to the same server.

    Raises:
        WayFailedError: when it ends with an error.
    """
    account = server.credentials[DEMO_READER]
    folder = Path(tempfile.mkdtemp(prefix="dp-extract-"))
    job = {
        "host": str(host or server.layout.run),
        "port": PORT,
        "dbname": DEMO_DB,
        "user": account.role,
        "password": account.password,
        "query": query(),
        "source_columns": [column.source for column in TABLE.columns],
        "year": YEAR,
        "target": str(folder / "extracted.parquet"),
        "folder": str(folder),
    }
    try:
        return _run(way, job)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(way: str, job: Mapping[str, Any]) -> Taken:
    python = sys.executable if way in OWN else str(PEER_PYTHON)
    started = time.monotonic()
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", "benchmarks.extract_worker", way, json.dumps(job)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            # A peer's words may name the address, with its password.
            raise WayFailedError((said or ["no word"])[-1].replace(job["password"], "***"))
        answer.seek(0)
        done = json.loads(answer.read().splitlines()[-1])
    return Taken(
        rows=done["rows"],
        seconds=seconds,
        import_seconds=done["ready"] - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=done["peak_kb"] * 1024 / 1e6,
    )


def measure_floor(server: EmbeddedServer, *, ordered: bool) -> float:
    """Seconds that the server alone takes for our query: it writes the same text to nowhere."""
    asked = sql.SQL(query())  # pyright: ignore[reportArgumentType] - a file of the project
    if ordered:
        keys = sql.SQL(", ").join(map(sql.Identifier, TABLE.key))
        asked = sql.SQL("SELECT * FROM ({}) AS q ORDER BY {}").format(asked, keys)
    with psycopg.connect(server.url(SUPERUSER, DEMO_DB), autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather TO 0")
        started = time.monotonic()
        connection.execute(sql.SQL("COPY ({}) TO '/dev/null' (FORMAT text)").format(asked))
        return time.monotonic() - started


def received(server: EmbeddedServer, way: str) -> int:
    """The bytes that the server sends for one run of a way, counted on the line in between; not for timing."""
    with _counting(server.layout.run / f".s.PGSQL.{PORT}") as (folder, counted):
        measure(server, way, host=folder)
        return sum(counted)


@contextmanager
def _counting(target: Path) -> Generator[tuple[Path, list[int]]]:
    """A socket of the same name in another folder that passes everything on and counts what comes back."""
    counted: list[int] = []
    folder = Path(tempfile.mkdtemp(prefix="dp-wire-", dir="/tmp"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / target.name))
    listener.listen()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                behind = socket.socket(socket.AF_UNIX)
                behind.connect(str(target))
                threading.Thread(target=_pump, args=(client, behind, None), daemon=True).start()
                threading.Thread(target=_pump, args=(behind, client, counted), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield folder, counted
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


def _pump(source: socket.socket, sink: socket.socket, counted: list[int] | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 18):
            if counted is not None:
                counted.append(len(data))
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
