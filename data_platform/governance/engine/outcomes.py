"""What the caller is told when a query did not end with a result."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from data_platform.errors import PlatformError, QueryTimeoutError, UsageError
from data_platform.governance.engine.limits import MIB, EngineLimits
from data_platform.governance.engine.problems import ProblemKind, QueryProblem
from data_platform.governance.engine.task import QueryTask
from data_platform.metrics.counting import engine_killed


class QueryRefusedError(UsageError):
    """The statement is wrong, or asks for something that is not permitted; `problem` says what and where."""

    def __init__(self, problem: QueryProblem) -> None:
        super().__init__(str(problem), hint=problem.hint)
        self.problem = problem


def raised(problem: QueryProblem, task: QueryTask) -> PlatformError:
    """The error for what the worker found."""
    match problem.kind:
        case ProblemKind.TIMEOUT:
            return timed_out(task)
        case ProblemKind.MEMORY:
            return _out_of_memory(task)
        case ProblemKind.STORAGE:
            return PlatformError(str(problem), hint="`data-platform verify` checks the stored files.")
        case ProblemKind.SANDBOX:
            return PlatformError(str(problem), hint=problem.hint)
        case ProblemKind.INTERNAL:
            return PlatformError(str(problem), hint="Try a simpler form of the query.")
        case _:
            return QueryRefusedError(problem)


def timed_out(task: QueryTask) -> QueryTimeoutError:
    """The query ran into its clock, the engine's interrupt or its limit of CPU time."""
    seconds = round(task.timeout_seconds, 1)
    return QueryTimeoutError(
        f"The query on {task.dataset} was stopped at its limit of {seconds:g} second{'' if seconds == 1 else 's'}.",
        hint="Filter by date, select fewer columns, or aggregate over fewer rows.",
    )


def _out_of_memory(task: QueryTask) -> PlatformError:
    allowed = task.limits.memory_bytes // MIB
    return PlatformError(
        f"The query needed more memory than the {allowed:,} MiB it may use.",
        hint="Filter by date, select fewer columns, or aggregate first.",
    )


def page_too_large(limits: EngineLimits) -> QueryRefusedError:
    """More bytes than one answer may have."""
    return QueryRefusedError(
        QueryProblem(
            ProblemKind.TOO_LARGE,
            f"The page is larger than {limits.result_bytes // MIB} MiB",
            hint="Select fewer columns, or ask for a smaller page.",
        )
    )


def crashed(status: int | None, task: QueryTask) -> PlatformError:
    """A worker that ended without an answer: by its CPU limit, or by a fault such as a failed allocation."""
    out_of_time = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    engine_killed("cpu_limit" if out_of_time else "fault")
    if out_of_time:
        return timed_out(task)
    name = "unknown"
    if status is not None and os.WIFSIGNALED(status):
        with suppress(ValueError):
            name = signal.Signals(os.WTERMSIG(status)).name
    return PlatformError(
        f"The query broke the process that ran it ({name}); it may have needed more memory than it may use.",
        hint="Filter by date, select fewer columns, or write it in a simpler form.",
    )
