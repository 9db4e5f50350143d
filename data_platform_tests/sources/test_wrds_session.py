"""Entering the server: by the real client, once, and on failure with a reason instead of a prompt."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import psycopg2.errors
import pytest
import wrds
from psycopg import sql

from data_platform.errors import SourceError
from data_platform.records.databases import DemoServer
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.session import ATTEMPTS, connect_without_asking, open_session
from data_platform_tests.sources.forwarding import Forwarder

SESSIONS = (
    "SELECT application_name, usename FROM pg_stat_activity WHERE usename = %s AND backend_type = 'client backend'"
)
SECRET = "n0t-the-Pa55word"  # noqa: S105 - deliberately wrong

CHILD = """
from data_platform.catalog import find_table
from data_platform.errors import PlatformError
from data_platform.settings import load_settings
from data_platform.sources import open_source
try:
    with open_source(find_table("crsp_daily"), load_settings(), None) as source:
        print("opened", source.name)
except PlatformError as error:
    raise SystemExit(f"{type(error).__name__} {error.exit_code}: {error}")
"""


def _open_in_a_process(settings: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Open WRDS in a process whose standard input is closed and whose environment holds nothing but settings."""
    environment = {f"DATA_PLATFORM_{name}": value for name, value in settings.items()}
    environment |= {"PATH": os.environ["PATH"], "HOME": str(folder), "DATA_PLATFORM_HOME": str(folder)}
    return subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" <&-', sys.executable, CHILD],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _settings(server: DemoServer, **changes: str) -> dict[str, str]:
    right = {
        "WRDS_HOST": str(server.socket_folder),
        "WRDS_PORT": str(server.port),
        "WRDS_DBNAME": server.dbname,
        "WRDS_USERNAME": server.reader,
        "WRDS_PASSWORD": server.reader_password,
    }
    return right | changes


def test_the_right_settings_open_a_session_without_a_terminal(server: DemoServer, tmp_path: Path) -> None:
    done = _open_in_a_process(_settings(server), tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "opened wrds\n", "")


def test_a_password_file_is_honoured(server: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    file.write_text(f"*:*:{server.dbname}:{server.reader}:{server.reader_password}\n")
    file.chmod(0o600)

    done = _open_in_a_process(_settings(server, WRDS_PASSWORD=""), tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "opened wrds\n", "")


@pytest.mark.parametrize(
    ("changes", "cause", "hint"),
    [
        ({"WRDS_PASSWORD": SECRET}, "the server refused user and password", "DATA_PLATFORM_WRDS_PASSWORD"),
        ({"WRDS_PASSWORD": ""}, "asks for a password and none is set", "DATA_PLATFORM_WRDS_PASSWORD"),
        ({"WRDS_USERNAME": "no@body:/x y", "WRDS_PASSWORD": SECRET}, "refused user and password", "USERNAME"),
        ({"WRDS_HOST": "127.0.0.1", "WRDS_PORT": "1"}, "nothing listens there", "DATA_PLATFORM_WRDS_PORT"),
        ({"WRDS_HOST": "/nowhere"}, "nothing listens there", "DATA_PLATFORM_WRDS_HOST"),
        ({"WRDS_HOST": "no such:host@x"}, "the host name is unknown", "DATA_PLATFORM_WRDS_HOST"),
        ({"WRDS_DBNAME": "nothing"}, "the server has no such database", "DATA_PLATFORM_WRDS_DBNAME"),
    ],
    ids=["wrong password", "no password", "strange user", "refused", "no socket", "unknown host", "no database"],
)
def test_a_failed_entry_is_one_clear_error_and_never_a_prompt(
    server: DemoServer, tmp_path: Path, changes: dict[str, str], cause: str, hint: str
) -> None:
    settings = _settings(server, **changes)

    done = _open_in_a_process(settings, tmp_path)

    assert done.returncode == 1
    refused = "WRDS_PASSWORD" in changes
    assert done.stderr.startswith(f"{'CredentialsError' if refused else 'SourceError'} 1: WRDS cannot be reached: ")
    assert len(done.stderr.splitlines()) == 1
    for expected in (cause, hint, settings["WRDS_HOST"], settings["WRDS_PORT"], settings["WRDS_USERNAME"]):
        assert expected in done.stderr
    for secret in (SECRET, server.reader_password):
        assert secret not in done.stdout + done.stderr
    for prompt in ("Enter your", "Trying", "EOFError", "Traceback"):
        assert prompt not in done.stdout + done.stderr


def test_a_missing_user_is_said_before_anything_is_tried(tmp_path: Path) -> None:
    done = _open_in_a_process({}, tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("SourceError 1: WRDS credentials are missing: ")
    for expected in ("DATA_PLATFORM_WRDS_USERNAME", "DATA_PLATFORM_WRDS_PASSWORD", "data-platform demo"):
        assert expected in done.stderr


def test_a_server_that_does_not_answer_is_given_up_on(address: WrdsAddress) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        deaf = dataclasses.replace(address, host="127.0.0.1", port=silent.getsockname()[1], connect_seconds=2)
        started = time.monotonic()
        with pytest.raises(SourceError, match="did not answer in time"), open_session(deaf):
            pass

    assert time.monotonic() - started < 10


@pytest.mark.parametrize("password", ["with space", "p@ss:w/rd%20?&'\"\\", "ünïcödé-9", "-p 5432 -h x"])
def test_any_password_gets_through_and_none_appears(
    superuser: psycopg.Connection, address: WrdsAddress, password: str, capfd: pytest.CaptureFixture[str]
) -> None:
    superuser.execute(sql.SQL("CREATE ROLE visitor LOGIN PASSWORD {}").format(sql.Literal(password)))
    superuser.execute("GRANT CONNECT ON DATABASE wrds TO visitor")
    try:
        visitor = dataclasses.replace(address, user="visitor", password=password)
        with open_session(visitor):
            assert superuser.execute(SESSIONS, ("visitor",)).fetchall() == [("data-platform", "visitor")]
        wrong = dataclasses.replace(visitor, password=password + "x")
        with pytest.raises(SourceError) as caught, open_session(wrong):
            pass
    finally:
        superuser.execute("REVOKE CONNECT ON DATABASE wrds FROM visitor")
        superuser.execute("DROP ROLE visitor")

    assert password + "x" not in str(caught.value)
    assert password not in repr(visitor) + str(visitor)
    assert capfd.readouterr() == ("", "")


def test_one_session_is_one_connection_that_ends_with_the_block(
    superuser: psycopg.Connection, address: WrdsAddress
) -> None:
    with open_session(address):
        assert superuser.execute(SESSIONS, (address.user,)).fetchall() == [("data-platform", address.user)]

    for _ in range(100):
        if not superuser.execute(SESSIONS, (address.user,)).fetchall():
            break
        time.sleep(0.02)
    assert superuser.execute(SESSIONS, (address.user,)).fetchall() == []


def test_a_session_may_not_write(address: WrdsAddress) -> None:
    with (
        open_session(address) as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
    ):
        cursor.execute("CREATE TABLE lab (id int)")


def test_a_connection_cut_while_entering_is_tried_again(address: WrdsAddress, forwarder: Forwarder) -> None:
    forwarder.drop_first = ATTEMPTS - 1

    with open_session(dataclasses.replace(address, host=str(forwarder.folder))) as connection:
        assert connection.closed == 0

    assert forwarder.connections == ATTEMPTS


def test_cut_every_time_it_is_given_up(address: WrdsAddress, forwarder: Forwarder) -> None:
    forwarder.drop_first = 1000

    with (
        pytest.raises(SourceError, match="the connection was cut"),
        open_session(dataclasses.replace(address, host=str(forwarder.folder))),
    ):
        pass

    assert forwarder.connections == ATTEMPTS


def test_a_refused_password_is_tried_once_only(address: WrdsAddress, forwarder: Forwarder) -> None:
    wrong = dataclasses.replace(address, host=str(forwarder.folder), password=SECRET)

    with pytest.raises(SourceError, match="refused user and password"), open_session(wrong):
        pass

    assert forwarder.connections == 1


def test_the_clients_private_step_is_still_where_we_call_it() -> None:
    client = wrds.Connection(autoconnect=False)

    assert callable(connect_without_asking(client))
    assert {"_username", "_hostname", "_connect_args"} <= set(vars(client))


def test_a_client_without_that_step_is_a_clear_error() -> None:
    with pytest.raises(SourceError, match="wrds package connects in another way"):
        connect_without_asking(object())
