"""The embedded server, run for real: its privacy, and its recovery from what kills processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from data_platform.errors import ConfigurationError, DatabaseUnavailableError
from data_platform.records.addresses import Login, socket_url
from data_platform.records.embedded import binaries, server
from data_platform.records.embedded.account import Account, RunAs, hand_over
from data_platform.records.embedded.cluster import ensure_cluster
from data_platform.records.embedded.credentials import OWNER, SERVICE, SUPERUSER, ensure_credentials
from data_platform.records.embedded.layout import PORT, layout_of, prepare
from data_platform.records.embedded.programs import Programs
from data_platform.records.embedded.service import EmbeddedServer, open_embedded, revive
from data_platform_tests.folders import short_folder
from data_platform_tests.records.processes import eventually, processes_below, server_processes


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_everything_on_disk_is_private(postgres: EmbeddedServer) -> None:
    layout = postgres.layout
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (layout.root.parent, *layout.root.iterdir())}
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_it_listens_on_no_network(postgres: EmbeddedServer) -> None:
    owned = server_processes(postgres.layout.data)
    assert owned
    for process in owned:
        with suppress(psutil.NoSuchProcess):  # a helper of the server's that ended since it was listed
            assert process.net_connections("inet") == []


@pytest.mark.parametrize("role", [SUPERUSER, OWNER, SERVICE])
def test_a_wrong_password_is_refused(postgres: EmbeddedServer, role: str) -> None:
    wrong = socket_url(postgres.layout.run, PORT, "platform", Login(role, "wrong"))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_no_way_in_without_scram(postgres: EmbeddedServer) -> None:
    methods = ask(postgres.url(SUPERUSER, "postgres"), "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules")
    stored = ask(
        postgres.url(SUPERUSER, "postgres"),
        "SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'",
    )
    assert (methods, stored) == (["scram-sha-256"], 0)


def test_no_password_is_in_a_log_an_argument_or_an_environment(postgres: EmbeddedServer) -> None:
    secrets = [login.password for login in postgres.credentials.values()]
    seen = postgres.layout.log.read_text()
    for process in server_processes(postgres.layout.data):
        with suppress(psutil.NoSuchProcess):  # a helper of the server's that ended since it was listed
            seen += " ".join(process.cmdline()) + json.dumps(process.environ())
    assert "postgres" in seen
    assert not [secret for secret in secrets if secret in seen]


@pytest.fixture(scope="module")
def own_home() -> Iterator[Path]:
    """A home whose server is not running, for tests that leave it healthy."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_settings_that_matter(own_home: Path) -> None:
    expected = {
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "unix_socket_permissions": "0700",
    }
    with open_embedded(own_home) as running:
        url = running.url(SUPERUSER, "platform")
        assert {name: ask(url, f"SELECT current_setting('{name}')") for name in expected} == expected


def test_it_comes_back_with_its_data_after_kill_9(own_home: Path) -> None:
    with open_embedded(own_home) as running:
        url = running.url(OWNER, "platform")
        run(url, "CREATE TABLE kept AS SELECT 1 AS one")
        os.kill(int(running.layout.pid_file.read_text().splitlines()[0]), signal.SIGKILL)
        with open_embedded(own_home):
            assert ask(url, "SELECT one FROM kept") == 1
    assert server_processes(running.layout.data) == []


def test_a_pid_file_that_names_a_stranger_does_not_prevent_the_start(own_home: Path) -> None:
    with open_embedded(own_home) as running:
        pass
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        note = f"{stranger.pid}\n{running.layout.data}\n0\n{PORT}\n{running.layout.run}\n\n"
        for file in (running.layout.pid_file, running.layout.socket_lock):
            file.write_text(note)
        with open_embedded(own_home):
            assert ask(running.url(OWNER, "platform"), "SELECT 7") == 7
        stranger.communicate(b"\n")


def test_a_first_start_killed_anywhere_is_finished_by_the_next(home: Path) -> None:
    program = "import sys; from pathlib import Path; from data_platform.records.embedded.service import open_embedded\n"
    program += "with open_embedded(Path(sys.argv[1])): pass"
    for seconds in (0.3, 0.5, 0.7):
        process = subprocess.Popen([sys.executable, "-c", program, str(home)], process_group=0)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with open_embedded(home) as running:
        assert ask(running.url(SERVICE, "platform"), "SELECT current_user") == SERVICE
        # What the killed ones left running ends by itself and is cleared away by the next start.
        drafts = running.layout.root / "draft"

        def is_clear() -> bool:
            try:
                return all(str(drafts) not in each.cwd() for each in processes_below(running.layout.root))
            except psutil.NoSuchProcess:
                return False

        assert eventually(is_clear, 60)
    with open_embedded(home):
        pass
    assert [path.name for path in running.layout.root.glob("draft-*")] == []
    assert server_processes(running.layout.data) == []


def test_roles_and_databases_that_are_missing_are_made_again(own_home: Path) -> None:
    with open_embedded(own_home) as running:
        run(
            running.url(SUPERUSER, "postgres"),
            "COMMENT ON DATABASE postgres IS NULL",
            "DROP DATABASE dagster",
            "REVOKE CONNECT ON DATABASE platform FROM platform_service",
            "ALTER ROLE platform_service NOLOGIN SUPERUSER PASSWORD NULL",
        )
    with open_embedded(own_home) as again:
        assert ask(again.url(SERVICE, "platform"), "SELECT current_setting('is_superuser')") == "off"
        assert ask(again.url("dagster", "dagster"), "SELECT current_database()") == "dagster"


def test_passwords_that_are_gone_are_a_clear_error_and_no_new_ones_are_made(home: Path) -> None:
    with open_embedded(home) as running:
        pass
    running.layout.credentials.unlink()
    with pytest.raises(ConfigurationError, match=r"credentials\.json is missing"), open_embedded(home):
        pass
    assert not running.layout.credentials.exists()


def test_a_server_that_cannot_start_says_why_and_where(home: Path) -> None:
    with open_embedded(home) as running:
        pass
    (running.layout.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatabaseUnavailableError, match=r"(?s)no_such_setting.*server\.log"), open_embedded(home):
        pass


def test_existing_data_is_run_by_its_own_major_version(home: Path) -> None:
    available = sorted(binaries.installations(), key=lambda each: each.major)
    oldest = available[0]
    if oldest.major == available[-1].major:
        pytest.skip("the wheel carries one PostgreSQL only")
    layout = layout_of(home)
    prepare(layout)
    ensure_cluster(layout, Programs.prepare(oldest, layout), ensure_credentials(layout))
    with open_embedded(home) as running:
        version = ask(running.url(OWNER, "platform"), "SELECT current_setting('server_version_num')::int / 10000")
    assert version == oldest.major
    assert json.loads(layout.cluster.read_text()) == {
        "created_with": oldest.version,
        "last_run_with": oldest.version,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another account")
def test_an_unprivileged_account_runs_the_server_where_namespaces_are_off(home: Path) -> None:
    nobody = Account(65534, 65534)
    home.chmod(0o700)
    layout = layout_of(home)
    prepare(layout)
    installation = binaries.choose_installation(binaries.installations(), None)
    run_as = RunAs((), nobody, nobody)
    try:
        hand_over(run_as, layout.root, installation.bin)
    except ConfigurationError as error:
        assert str(home) not in error.message
        pytest.skip(f"the programs are not for everybody here: {error.message}")
    programs = Programs(installation, layout, run_as)
    credentials = ensure_credentials(layout)
    ensure_cluster(layout, programs, credentials)
    server.start(layout, programs)
    try:
        owners = set[int]()
        for each in server_processes(layout.data):
            with suppress(psutil.NoSuchProcess):  # as above
                owners.add(each.uids().real)
        assert owners == {nobody.uid}
        assert ask(EmbeddedServer(layout, credentials).url(SUPERUSER, "postgres"), "SELECT 1") == 1
        assert stat.S_IMODE(home.stat().st_mode) == 0o710
    finally:
        server.stop(layout, programs)
    with open_embedded(home) as running:
        assert ask(running.url(OWNER, "platform"), "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another account")
def test_a_folder_that_the_account_cannot_pass_is_named() -> None:
    closed = short_folder()
    try:
        layout = layout_of(closed / "home")
        prepare(layout)
        nobody = Account(65534, 65534)
        with pytest.raises(ConfigurationError, match=f"can't get past {closed}"):
            hand_over(RunAs((), nobody, nobody), layout.root, binaries.installations()[0].bin)
    finally:
        shutil.rmtree(closed)


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(postgres: EmbeddedServer) -> None:
    postmaster = psutil.Process(int(postgres.layout.pid_file.read_text().splitlines()[0]))
    assert os.getsid(postmaster.pid) != os.getsid(0)
    assert os.getpgid(postmaster.pid) != os.getpgid(0)


def test_a_server_that_dies_while_it_is_used_is_started_again_and_stopped_at_the_end(home: Path) -> None:
    with open_embedded(home) as running:
        url = running.url(SUPERUSER, "postgres")
        first = int(running.layout.pid_file.read_text().splitlines()[0])
        assert revive(home)
        assert int(running.layout.pid_file.read_text().splitlines()[0]) == first, "it was well"
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: not server.is_answering(running.layout))
        guard = running.layout.guard
        aside = guard.rename(guard.with_suffix(".aside"))
        guard.mkdir()
        assert not revive(home), "the system refuses, and whoever asks again later lives on"
        guard.rmdir()
        aside.rename(guard)
        assert revive(home)
        assert ask(url, "SELECT 1") == 1
        assert int(running.layout.pid_file.read_text().splitlines()[0]) != first
    assert server_processes(running.layout.data) == []
