"""A sync that is told to stop stops what it started at the server too, whatever it was waiting for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from data_platform.records.databases import Databases
from data_platform.records.embedded.credentials import SUPERUSER
from data_platform.records.embedded.service import EmbeddedServer
from data_platform_tests.cli.conftest import environment

COMMAND = (sys.executable, "-m", "data_platform.cli", "sync", "crsp_daily", "-p", "2024")
PROMPTLY = 20.0
"""Seconds; the statement itself would run for many minutes."""


def _stall(owner: psycopg.Connection, reader: str, sign: str) -> None:
    """Let statements with that text wait in the relation for ten minutes, and no others."""
    owner.execute("ALTER TABLE crsp.dsf_v2 RENAME TO dsf_v2_itself")
    owner.execute(
        "CREATE VIEW crsp.dsf_v2 AS SELECT t.* FROM crsp.dsf_v2_itself t CROSS JOIN LATERAL "
        f"(SELECT CASE WHEN position('{sign}' IN current_query()) > 0 THEN pg_sleep(600) END OFFSET 0) s"
    )
    owner.execute(f"GRANT SELECT ON crsp.dsf_v2 TO {reader}")


def _ours(superuser: psycopg.Connection, dbname: str) -> list[tuple[str, str]]:
    return superuser.execute(
        "SELECT state, query FROM pg_stat_activity WHERE application_name = 'data-platform' AND datname = %s", (dbname,)
    ).fetchall()


@pytest.mark.parametrize(
    ("sign", "number"),
    [("hashtextextended", signal.SIGTERM), ("COPY (", signal.SIGINT)],
    ids=["counting", "copying"],
)
def test_a_terminated_sync_leaves_no_statement_at_the_server(
    wrds: Databases,
    wrds_owner: psycopg.Connection,
    postgres: EmbeddedServer,
    postgres_home: Path,
    sign: str,
    number: signal.Signals,
) -> None:
    demo = wrds.demo
    assert demo is not None
    _stall(wrds_owner, demo.reader, sign)
    variables = {
        "DATA_PLATFORM_WRDS_HOST": str(demo.socket_folder),
        "DATA_PLATFORM_WRDS_PORT": str(demo.port),
        "DATA_PLATFORM_WRDS_DBNAME": demo.dbname,
        "DATA_PLATFORM_WRDS_USERNAME": demo.reader,
        "DATA_PLATFORM_WRDS_PASSWORD": demo.reader_password,
    }
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as superuser:
        process = subprocess.Popen(
            COMMAND,
            env=environment(postgres_home, **variables),
            cwd=postgres_home.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            while not any(state == "active" and sign in query for state, query in _ours(superuser, demo.dbname)):
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.02)
            os.killpg(process.pid, number)
            _, said = process.communicate(timeout=PROMPTLY)
        finally:
            process.kill()
        assert (process.returncode, "Interrupted" in said, "Traceback" in said) == (130, True, False), said
        assert _ours(superuser, demo.dbname) == []
