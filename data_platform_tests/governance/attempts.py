"""Run as a program: what a process in a worker's place can reach, with raw Python and raw SQL instead of the engine.

Reads one JSON object (`Ground`) from standard input and prints one of outcomes: "reached", or the name of the error.
The layers above the kernel's are off: no guard, no locked session, no limits of DuckDB's own.
"""

from __future__ import annotations

import ctypes
import encodings.idna
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_platform.governance.engine import worker
from data_platform.governance.engine.confinement import confine
from data_platform.governance.engine.landlock import landlock_abi, restrict_to_reading
from data_platform.governance.engine.limits import MIB, EngineLimits, confine_process
from data_platform.governance.engine.seccomp import restrict_calls

LIBC = ctypes.CDLL(None, use_errno=True)
PRELOADED = (worker.answer, encodings.idna.ToASCII)
"""What would be imported too late: a confined process opens no library, and another user may not enter ours."""
X86_CALLS = {
    **{"ptrace": 101, "mount": 165, "chroot": 161, "keyctl": 250, "unshare": 272, "perf_event_open": 298},
    **{"open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "memfd_create": 319},
    **{"bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438, "execveat": 322},
    **{"socket": 41, "socketpair": 53, "sendmsg": 46, "shmget": 29, "fork": 57, "vfork": 58, "setrlimit": 160},
    **{"kill": 62, "tkill": 200, "rt_sigqueueinfo": 129, "ioctl": 16, "setitimer": 38, "finit_module": 313},
}


@dataclass(frozen=True)
class Ground:
    """What there is to be reached, by whom, and which parts confine them: "both", one of them, or none ("")."""

    confined: str
    user: int | None
    permitted: str
    other: str
    folder: str
    tcp: int
    udp: int
    unix: str
    abstract: str


def attempts(ground: Ground, parent: int) -> dict[str, Callable[[], object]]:
    """By name; each raises when it is refused."""
    folder = Path(ground.folder)
    database = duckdb.connect()
    victim = folder / "victim"
    return {
        "permitted by DuckDB": lambda: database.execute(f"FROM read_parquet('{ground.permitted}')").fetchall(),
        "permitted": lambda: Path(ground.permitted).read_bytes(),
        "other by DuckDB": lambda: database.execute(f"FROM read_parquet('{ground.other}')").fetchall(),
        "other": lambda: Path(ground.other).read_bytes(),
        "passwd": lambda: Path("/etc/passwd").read_bytes(),
        "passwd by DuckDB": lambda: database.execute("FROM read_text('/etc/passwd')").fetchall(),
        "listing": lambda: list(folder.iterdir()),
        "DuckDB's COPY": lambda: database.execute(f"COPY (SELECT NULL WHERE false) TO '{folder}/copied'"),
        "creating": lambda: os.open(folder / "made", os.O_CREAT | os.O_WRONLY),
        "opening to write": lambda: os.open(victim, os.O_WRONLY),
        "writing what may be read": lambda: os.open(ground.permitted, os.O_RDWR),
        "truncating": lambda: os.truncate(victim, 0),
        "link": lambda: (folder / "linked").hardlink_to(victim),
        "symlink": lambda: (folder / "symlinked").symlink_to(victim),
        "mkdir": (folder / "folder").mkdir,
        "chmod": lambda: victim.chmod(0o600),
        "utime": lambda: os.utime(victim),
        "rename": lambda: victim.rename(folder / "renamed"),
        "remove": (folder / "doomed").unlink,
        "TCP": lambda: socket.create_connection(("127.0.0.1", ground.tcp), 5),
        "listening": lambda: socket.create_server(("127.0.0.1", 0)),
        "UDP": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", ground.udp)),
        "Unix socket by path": lambda: socket.socket(socket.AF_UNIX).connect(ground.unix),
        "abstract Unix socket": lambda: socket.socket(socket.AF_UNIX).connect("\0" + ground.abstract),
        "parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "parent's memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
        "signal to the parent": lambda: os.kill(parent, signal.SIGCONT),
        "signal 0 to the parent": lambda: os.kill(parent, 0),
        "fork": _fork,
        "a program": lambda: subprocess.run(["/bin/true"], check=True),
        "exec": _exec,
        "code in memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
        "another limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE)),
    }


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _exec() -> None:
    try:
        os.execv("/nowhere", ["nowhere"])  # noqa: S606 - whether the call is let through is the question
    except FileNotFoundError:
        return


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except Exception as error:  # noqa: BLE001 - whatever DuckDB raises is a refusal
        return type(error).__name__
    return "reached"


def raw_calls() -> dict[str, str]:
    """Each call with zeros for arguments: EPERM is the filter's answer, as these arguments mostly mean another."""
    found: dict[str, str] = {}
    for name, number in X86_CALLS.items() if os.uname().machine == "x86_64" else ():
        answer = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
        found[name] = "reached" if answer >= 0 else errno.errorcode[ctypes.get_errno()]
    return found


def main() -> None:
    ground = Ground(**json.loads(sys.stdin.read()))
    if ground.user is not None:
        os.setgroups([])
        os.setgid(ground.user)
        os.setuid(ground.user)
        LIBC.prctl(4, 1, 0, 0, 0)  # what changed its user is closed to its own user otherwise
    parent = os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    found: dict[str, str] = {}
    if ground.confined:
        confine_process(EngineLimits(address_space_bytes=2048 * MIB), 20.0)
    match ground.confined:
        case "both":
            confine([ground.permitted])
            found = raw_calls()
        case "landlock":
            restrict_to_reading([ground.permitted, "/proc/self/cgroup", "/sys/fs/cgroup"], landlock_abi())
        case "seccomp":
            restrict_calls()
        case _:
            pass
    found |= {name: outcome(attempt) for name, attempt in attempts(ground, parent).items()}
    os.write(1, json.dumps(found).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
