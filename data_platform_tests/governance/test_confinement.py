"""The kernel's layer by itself, with every layer above it off; and that it is missed where it is lacking."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.governance.engine.confinement import confinement_report
from data_platform.settings import PROJECT_ROOT
from data_platform_tests.governance.attempts import X86_CALLS, Ground
from data_platform_tests.governance.market import crsp_rows, write_parquet

NOBODY = 65534
PERMITTED = {"permitted", "permitted by DuckDB"}
OFTEN_SHUT = {"parent's memory"}
"""Machines may forbid this to ordinary users by themselves (Yama)."""

pytestmark = pytest.mark.skipif(not confinement_report().complete, reason="this kernel lacks a part of the sandbox")


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Files, sockets and servers that every user of this machine can reach."""
    with ExitStack() as opened:
        # Not pytest's own folder: other users can't enter it.
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        permitted = write_parquet(crsp_rows(10), folder / "permitted.parquet")
        other = write_parquet(pa.table({"tic": ["SECRET1"]}), folder / "other.parquet")
        tcp = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = opened.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        named = opened.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(str(folder / "socket"))
        named.listen()
        abstract = opened.enter_context(socket.socket(socket.AF_UNIX))
        name = f"data-platform-{folder.name}"
        abstract.bind("\0" + name)
        abstract.listen()
        for path in (folder, *folder.iterdir()):
            path.chmod(0o777)
        ports = (tcp.getsockname()[1], udp.getsockname()[1])
        yield Ground("both", None, permitted, other, str(folder), *ports, str(folder / "socket"), name)


def python(program: list[str], given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT), **environment},
    )


def outcomes(ground: Ground) -> dict[str, str]:
    for name in ("victim", "doomed"):
        path = Path(ground.folder) / name
        path.write_text("precious")
        path.chmod(0o666)
        os.chown(path, ground.user or -1, ground.user or -1)
    ended = python(["-m", "data_platform_tests.governance.attempts"], json.dumps(asdict(ground)))
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout)


def left_behind(ground: Ground) -> list[str]:
    return sorted(path.name for path in Path(ground.folder).iterdir())


@pytest.mark.parametrize("user", [None, NOBODY], ids=["ourselves", "nobody"])
def test_the_kernel_alone_shuts_everything_but_the_files_of_the_query(ground: Ground, user: int | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    whose = replace(ground, user=user)
    confined = outcomes(whose)
    reached = {name for name, said in confined.items() if said == "reached"}
    assert reached == PERMITTED
    assert {confined[name] for name in X86_CALLS if name in confined} <= {"EPERM"}
    assert (Path(ground.folder) / "victim").read_text() == "precious"
    assert left_behind(ground) == ["doomed", "other.parquet", "permitted.parquet", "socket", "victim"]
    # The same attempts by the same user, unconfined: the doors that were found shut do stand open.
    free = outcomes(replace(whose, confined=""))
    shut = {name for name, said in free.items() if said != "reached"}
    assert shut <= (OFTEN_SHUT if user is not None else set())
    for name in ("made", "copied", "symlinked", "linked", "renamed"):
        (Path(ground.folder) / name).unlink()
    (Path(ground.folder) / "folder").rmdir()


def test_each_part_by_itself_shuts_its_own_doors_and_needs_the_other(ground: Ground) -> None:
    files = {"other", "other by DuckDB", "passwd", "parent's environment", "parent's memory"}
    filtered = {name for name, said in outcomes(replace(ground, confined="seccomp")).items() if said == "reached"}
    assert filtered == PERMITTED | files
    landlocked = {name for name, said in outcomes(replace(ground, confined="landlock")).items() if said == "reached"}
    assert not landlocked & {*files, "creating", "opening to write", "listing", "rename", "remove", "TCP"}
    assert landlocked >= {"UDP", "Unix socket by path", "chmod"}


CONFINED = """
import ctypes, os, resource, sys
import duckdb
from data_platform.governance.engine import worker
from data_platform.governance.engine.confinement import confine
from data_platform.governance.engine.limits import MIB, EngineLimits, confine_process
limits = EngineLimits(address_space_bytes=1200 * MIB, threads=1)
confine_process(limits, 0.0)
confine([])
"""


def test_a_call_by_the_numbers_of_another_kind_of_program_kills() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("only x86_64 has such numbers")
    ended = python(["-c", CONFINED + "ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))"])
    assert ended.returncode == -31


def test_without_any_clock_a_query_without_end_is_ended_by_its_limit_of_cpu_time() -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    at_once = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))"
    program = at_once + CONFINED + f"duckdb.connect(config={{'threads': 2}}).execute({endless!r})"
    # As a worker has it: each thread's own reserve of addresses would be what ends it.
    ended = python(["-c", program], MALLOC_ARENA_MAX="2")
    assert ended.returncode in {-24, -9}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(range) FROM range(2000000000)",
        "SELECT string_agg(repeat('x', 1000) || range::VARCHAR, '') FROM range(100000000)",
        "SELECT length(repeat('x', 3000000000))",
    ],
)
def test_memory_stays_bounded_where_duckdb_sets_no_limit(sql: str) -> None:
    program = f"""
database = duckdb.connect(config={{'memory_limit': '100GB', 'threads': 1}})
try:
    database.execute({sql!r}).fetchall()
except BaseException as error:
    os.write(1, type(error).__name__.encode())
os.write(1, b" %d" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
os._exit(0)
"""
    ended = python(["-c", CONFINED.replace(", 0.0)", ", 30.0)") + program])
    error, mebibytes = ended.stdout.split()
    assert error in {"OutOfMemoryException", "MemoryError", "InternalException"}
    assert int(mebibytes) < 1200


HIDING = """
import ctypes, os, sys
from data_platform.governance.engine.seccomp import install
hidden = {"landlock": [(0x15, 0, 1, 444), (0x06, 0, 0, 0x00050026)],
          "seccomp": [(0x15, 0, 3, %d), (0x20, 0, 0, 16), (0x15, 0, 1, 22), (0x06, 0, 0, 0x00050016)]}
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
install([(0x20, 0, 0, 0), *hidden[sys.argv[1]], (0x06, 0, 0, 0x7FFF0000)])
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""As if the kernel had no Landlock (ENOSYS), or took no filter by prctl (EINVAL): a filter of our own says so."""

QUERY = """
import sys
from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
for required in (False, True):
    engine = QueryEngine(require_sandbox=required)
    try:
        page = engine.run("SELECT 1 AS one", {}, dataset="crsp", timeout_seconds=60)
        print(page.table.to_pylist())
    except PlatformError as error:
        print(error.exit_code, error)
    engine.close()
"""

LACKING = {
    "landlock": "no Landlock, so files are not shut by the kernel",
    "seccomp": "no filter on system calls, so sockets are not shut by the kernel",
}


def without(part: str, *program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    number = 157 if os.uname().machine == "x86_64" else 167
    return python(["-c", HIDING % number, part, *program], **environment)


@pytest.mark.parametrize("part", LACKING)
def test_where_a_part_is_lacking_queries_run_unless_it_is_required(part: str) -> None:
    first, second = without(part, "-c", QUERY).stdout.splitlines()
    assert first == "[{'one': 1}]"
    assert second.startswith(f"1 Queries are refused: {LACKING[part]}. Use Linux 5.13 or newer")


def test_up_says_loudly_what_is_lacking_and_does_not_start_where_it_is_required(home: Path) -> None:
    refused = without(
        "landlock",
        *("-m", "data_platform.cli", "up"),
        DATA_PLATFORM_REQUIRE_SANDBOX="true",
        DATA_PLATFORM_HOME=str(home),
    )
    assert refused.returncode == 1
    assert f"Queries are refused: {LACKING['landlock']}." in refused.stderr
    assert "Traceback" not in refused.stderr
    said = without(
        "landlock",
        *("-c", "from data_platform.cli import up; up.look_at_the_sandbox(up.load_settings())"),
        DATA_PLATFORM_HOME=str(home),
    )
    assert f"WARNING: queries run without their full sandbox: {LACKING['landlock']}." in said.stderr


def test_doctor_names_what_is_lacking(home: Path) -> None:
    looked = without(
        "seccomp",
        *("-m", "data_platform.cli", "doctor", "--json"),
        DATA_PLATFORM_REQUIRE_SANDBOX="true",
        DATA_PLATFORM_HOME=str(home),
    )
    [found] = [finding for finding in json.loads(looked.stdout) if finding["what"] == "query sandbox"]
    assert (found["state"], found["detail"]) == ("problem", LACKING["seccomp"])
    assert "seccomp not shut off" in found["mend"]
