"""The life of a worker process: receive one task, bind itself, run the statement, answer, end.

Nothing is trusted to the worker but computing: the parent owns the clock and checks what it is sent.
"""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import duckdb
import pyarrow as pa

from data_platform.governance.engine.carried import check_types, check_values, readable
from data_platform.governance.engine.confinement import MEND, confine
from data_platform.governance.engine.frames import Frame, receive_frame, send_frame
from data_platform.governance.engine.guard import check, named_tables
from data_platform.governance.engine.limits import confine_process, soft_timeout
from data_platform.governance.engine.parameters import Scalar, decode, misfit
from data_platform.governance.engine.plans import estimated_rows
from data_platform.governance.engine.positions import locate_directly, locate_in_original, match_positions
from data_platform.governance.engine.problems import (
    Locate,
    ProblemError,
    ProblemKind,
    QueryProblem,
    Statement,
    explain,
    parse_failure,
)
from data_platform.governance.engine.session import begin_session, lock_session
from data_platform.governance.engine.task import QueryTask

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BATCH_ROWS = 8192
_DESCRIBE = "DESCRIBE ({})"
_DESCRIBE_OFFSET = _DESCRIBE.index("{")
_EXPLAIN = "EXPLAIN (FORMAT json) "
_EXPLAIN_OFFSET = len(_EXPLAIN)
_RECURSION: Final = 5_000


def answer(channel: socket.socket, prepared: duckdb.DuckDBPyConnection) -> None:
    """Serve the one task that arrives on `channel`; every outcome but a crash is answered with a frame.

    `prepared` is what `session.prepare` made before the fork.
    """
    _, payload = receive_frame(channel)
    task = QueryTask.from_bytes(payload)
    confine_process(task.limits, task.timeout_seconds)
    try:
        shut(task)
        run(task, channel, prepared)
    except ProblemError as found:
        problem = found.problem
    except MemoryError:
        problem = QueryProblem(ProblemKind.MEMORY, "The query needed more memory than it may use")
    except Exception:  # noqa: BLE001 - the process ends here, and the text of an unforeseen error may hold values
        problem = QueryProblem(ProblemKind.INTERNAL, "The query engine failed")
    else:
        return
    send_frame(channel, Frame.PROBLEM, json.dumps(problem.to_json()).encode())


def shut(task: QueryTask) -> None:
    """Have the kernel shut everything but the files of the views; DuckDB has no thread yet.

    Raises:
        ProblemError: when the task wants no less than all of it, and the kernel lacks a part.
    """
    report = confine(file for files in task.views.values() for file in files)
    if task.require_sandbox and not report.complete:
        raise ProblemError(QueryProblem(ProblemKind.SANDBOX, f"Queries are refused: {report}", hint=MEND))


def run(task: QueryTask, channel: socket.socket, prepared: duckdb.DuckDBPyConnection) -> None:
    """Guard, bind and run the statement, and send its page.

    Raises:
        ProblemError: for everything that is wrong with the statement or that ran into a limit.
    """
    connection = begin_session(task.limits, prepared)
    checked = rewrite(connection, task)
    open_tables(connection, checked, task)
    watchdog = threading.Timer(soft_timeout(task.timeout_seconds), connection.interrupt)
    watchdog.daemon = True
    watchdog.start()
    columns = _describe(connection, checked, task)
    check_types(columns)
    described = {"columns": columns, "tables": checked.tables, "canonical": checked.canonical}
    send_frame(channel, Frame.COLUMNS, json.dumps(described).encode())
    done = _translating(
        lambda: _estimate(connection, checked) if task.dry else _stream(connection, checked, columns, task, channel),
        _statement(task, checked.locate(_EXPLAIN_OFFSET if task.dry else 0)),
        data_was_read=True,
    )
    send_frame(channel, Frame.DONE, json.dumps(done).encode())


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that passed the guard.

    `canonical` is the text that runs, `tables` are those it names, `values` its parameters by name, and `locate`
    makes, from the length of a prefix, the locator for errors in the text so prefixed.
    """

    canonical: str
    tables: tuple[str, ...]
    values: dict[str, Scalar]
    locate: Callable[[int], Locate]


def rewrite(connection: duckdb.DuckDBPyConnection, task: QueryTask) -> Checked:
    """The text that will run: DuckDB's rendering of the checked parse tree, itself parsed and checked again."""
    statement = _statement(task, locate_directly(task.sql))
    original = _parse(connection, task.sql, statement)
    canonical = str(
        _translating(
            lambda: _scalar(connection, "SELECT json_deserialize_sql($1::JSON)", json.dumps(original)),
            statement,
            data_was_read=False,
        )
    )
    rewritten = _parse(connection, canonical, statement)
    pairs = match_positions(rewritten, original)
    values = decode(task.parameters)
    problem = misfit(original, values, statement)
    if problem is not None:
        raise ProblemError(problem)
    tables = named_tables(rewritten, statement)
    return Checked(canonical, tables, values, lambda offset: locate_in_original(task.sql, pairs, offset))


def open_tables(connection: duckdb.DuckDBPyConnection, checked: Checked, task: QueryTask) -> None:
    """Lock the session over the tables that the statement names, and no other.

    Raises:
        ProblemError: when their files can't be read.
    """
    try:
        lock_session(connection, {name: task.views[name] for name in checked.tables})
    except (duckdb.Error, RuntimeError) as error:
        raise ProblemError(QueryProblem(ProblemKind.STORAGE, "The stored data could not be opened")) from error


def _parse(connection: duckdb.DuckDBPyConnection, sql: str, statement: Statement) -> dict[str, Any]:
    serialized = _translating(
        lambda: _scalar(connection, "SELECT json_serialize_sql($1::VARCHAR)", sql), statement, data_was_read=False
    )
    # The limit on expressions is DuckDB's; Python's own would stop earlier, and elsewhere in every version.
    sys.setrecursionlimit(_RECURSION)
    try:
        document = cast("dict[str, Any]", json.loads(str(serialized)))
    except RecursionError:
        raise ProblemError(QueryProblem(ProblemKind.UNSUPPORTED, "The statement is nested too deeply")) from None
    problem = parse_failure(document, statement) if document.get("error") else check(document, statement)
    if problem is not None:
        raise ProblemError(problem)
    return document


def _describe(connection: duckdb.DuckDBPyConnection, checked: Checked, task: QueryTask) -> list[tuple[str, str]]:
    """Bind without running: names and types of the result's columns."""
    rows = _translating(
        lambda: connection.execute(_DESCRIBE.format(checked.canonical), checked.values).fetchall(),
        _statement(task, checked.locate(_DESCRIBE_OFFSET)),
        data_was_read=False,
    )
    return [(str(row[0]), str(row[1])) for row in rows]


def _estimate(connection: duckdb.DuckDBPyConnection, checked: Checked) -> dict[str, Any]:
    """How many rows the planner expects; it has seen the files' footers and no row."""
    [(_, plan)] = connection.execute(_EXPLAIN + checked.canonical, checked.values).fetchall()
    return {"estimated_rows": estimated_rows(json.loads(plan)[0])}


def _stream(
    connection: duckdb.DuckDBPyConnection,
    checked: Checked,
    columns: list[tuple[str, str]],
    task: QueryTask,
    channel: socket.socket,
) -> dict[str, Any]:
    """Send the page as it is found and count on; returns the rows seen and whether that was all of them."""
    # A relation streams; a result of `execute` would be collected in memory before its first batch.
    relation = readable(connection.sql(checked.canonical, params=checked.values), columns)
    reader = cast("pa.RecordBatchReader", relation.to_arrow_reader(_BATCH_ROWS))
    wanted = task.skip + task.keep
    enough = max(wanted, task.limits.count_rows)
    seen = 0
    sink = pa.PythonFile(_ArrowFrames(channel), mode="w")
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            first, last = max(task.skip - seen, 0), min(wanted - seen, batch.num_rows)
            if first < last:
                check_values(batch, columns)
                writer.write_batch(batch.slice(first, last - first))  # pyright: ignore[reportUnknownMemberType] - stubs
            seen += batch.num_rows
            if seen > enough:
                return {"rows": enough, "complete": False}
    return {"rows": seen, "complete": True}


class _ArrowFrames(io.RawIOBase):
    """A file that Arrow writes to; each write becomes a frame."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        payload = memoryview(data)
        if payload.nbytes:
            send_frame(self._channel, Frame.ARROW, payload)
        return payload.nbytes


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str, argument: str) -> object:
    rows = connection.execute(sql, [argument]).fetchall()
    return rows[0][0] if rows else None


def _statement(task: QueryTask, locate: Locate) -> Statement:
    return Statement(task.dataset, tuple(task.views), locate)


def _translating(step: Callable[[], Any], statement: Statement, *, data_was_read: bool) -> Any:  # noqa: ANN401
    try:
        return step()
    except (MemoryError, ConnectionError, ProblemError):
        raise
    except Exception as error:
        raise ProblemError(explain(str(error), statement, data_was_read=data_was_read)) from error
