"""Set-ups of queries: one that runs and is ended by the page, and results of yesterday."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import psycopg

from data_platform_tests.cli.runbooks.machine import Machine
from data_platform_tests.records.processes import eventually

_LONG: Final = "SELECT count(*) FROM crsp_daily a, crsp_daily b, crsp_daily c WHERE a.ret < b.ret + c.ret"
_RUNNING: dict[int, subprocess.Popen[bytes]] = {}


def a_running_query(machine: Machine) -> None:
    """Another process of Anna's runs a query that takes longer than it may."""
    asking = subprocess.Popen(
        [sys.executable, "-m", "data_platform.cli", "query", "-d", "crsp", _LONG],
        env={**machine.shell.variables, "DATA_PLATFORM_TOKEN": machine.names["analyst-token"]},
        cwd=machine.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    machine.until_the_end.callback(_end, asking)
    machine.names["asking"] = str(asking.pid)
    _RUNNING[asking.pid] = asking

    def runs() -> bool:
        assert asking.poll() is None, "the query ended before it was seen"
        listed = json.loads(machine.run("data-platform queries list --running --json"))
        return [each["state"] for each in listed] == ["running"]

    assert eventually(runs, seconds=60)


def that_query_has_ended(machine: Machine) -> None:
    """It has, with an error of its own."""
    assert _RUNNING.pop(int(machine.names["asking"])).wait(60) != 0


def exports_of_yesterday(machine: Machine) -> None:
    """All requests are two days old."""
    with psycopg.connect(machine.records.databases.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE platform.query_requests NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "UPDATE platform.query_requests SET created_at = created_at - interval '2 days', "
            "updated_at = updated_at - interval '2 days'"
        )
        owner.execute("ALTER TABLE platform.query_requests FORCE ROW LEVEL SECURITY")


def _end(asking: subprocess.Popen[bytes]) -> None:
    asking.kill()
    asking.wait()
