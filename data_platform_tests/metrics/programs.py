"""Programs that tests run as processes of their own: they count, fold, and are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from data_platform.settings import PROJECT_ROOT

COUNT_AND_SAY = """
import sys
from pathlib import Path
from data_platform.metrics import counting
counting.count_in(Path(sys.argv[1]))
with counting.query_running("ann", "crsp"):
    for number in range(int(sys.argv[2])):
        counting.alerts_viewed()
    print("counted", flush=True)
    sys.stdin.readline()
"""
"""Counts so often, says so, and runs until its standard input ends."""

KILLED_WHILE_FOLDING = """
import itertools, json, os, signal, sys
from pathlib import Path
from data_platform.metrics import counting
from data_platform.metrics.folding import fold_many, read_sums, _alone, _fold
from data_platform.metrics.files import series

home = Path(sys.argv[1])
folder = home / "metrics"
key = series("data_quality_alert_views_total", ())
counting.count_in(home)

def child(work):
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(process, 0)[1])

def fold(moment):
    events = itertools.count()
    def hook(event, arguments):
        if event.startswith(("os.", "open", "fcntl.")) and next(events) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    with _alone(folder, 5.0):
        sys.addaudithook(hook)
        _fold(folder)

read_sums(folder)  # what is imported by the first reading is no event of the later ones
expected = seen = 0
for moment in itertools.count():
    for _ in range(3):
        child(lambda: [counting.alerts_viewed() for _ in range(5)])
        expected += 5
    ended_by = child(lambda: fold(moment))
    found = read_sums(folder).get(key)
    assert found == expected, (moment, found, expected)
    if ended_by == 0:
        break
    assert ended_by == signal.SIGKILL
    seen += 1
print(json.dumps({"killed": seen, "files": len(list(folder.glob("*.db")))}))
"""
"""Kills a folding process at its first, second, third, ... system call that Python tells of, and sums up each time."""

KILLED_WHILE_COUNTING = """
import json, os, random, signal, sys, time
from pathlib import Path
from data_platform.metrics import counting
from data_platform.metrics.folding import read_sums
from data_platform.metrics.files import series

home, rounds = Path(sys.argv[1]), int(sys.argv[2])
folder = home / "metrics"
key = series("data_quality_alert_views_total", ())
counting.count_in(home)
chance = random.Random(7)
said = lowest = 0
children = {}

def begin():
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(ours)
        while True:
            counting.alerts_viewed()
            os.write(theirs, b".")
    os.close(theirs)
    children[process] = ours

def end(process):
    global said
    os.kill(process, signal.SIGKILL)
    ours = children.pop(process)
    while piece := os.read(ours, 65536):
        said += len(piece)
    os.close(ours)
    os.waitpid(process, 0)

for _ in range(rounds):
    while len(children) < 4:
        begin()
    for ours in list(children.values()):
        said += len(os.read(ours, 65536))
    found = read_sums(folder).get(key, 0)
    assert found >= max(lowest, said), (found, lowest, said)
    lowest = found
    end(chance.choice(list(children)))
for process in list(children):
    end(process)
print(json.dumps({"counted": read_sums(folder)[key], "said": said, "killed": rounds + 3}))
"""
"""Kills processes while they count, and sums up meanwhile: the sum never falls below what was said to be counted."""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program with pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(program: str, home: Path, *arguments: object) -> str:
    """Run a program to its end, and return what it said."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(home), *map(str, arguments)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
