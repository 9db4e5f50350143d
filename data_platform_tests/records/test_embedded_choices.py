"""The decisions around the embedded server, as tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from psycopg.pq import Ping

from data_platform.errors import ConfigurationError
from data_platform.records.embedded.account import Account, RunAs, choose_run_as
from data_platform.records.embedded.binaries import Installation, choose_installation, installations, major_of
from data_platform.records.embedded.layout import MAX_SOCKET_BYTES, layout_of
from data_platform.records.embedded.programs import gist
from data_platform.records.embedded.server import State, judge

ROOT, ANN, NOBODY = Account(0, 0), Account(1000, 1000), Account(65534, 65534)
UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@pytest.mark.parametrize(
    ("me", "namespaces", "unprivileged", "expected"),
    [
        (ANN, False, None, RunAs((), None, ANN)),
        (ANN, True, NOBODY, RunAs((), None, ANN)),
        (ROOT, True, NOBODY, RunAs(UNSHARE, None, ROOT)),
        (ROOT, True, None, RunAs(UNSHARE, None, ROOT)),
        (ROOT, False, NOBODY, RunAs((), NOBODY, NOBODY)),
    ],
)
def test_how_to_run(me: Account, namespaces: bool, unprivileged: Account | None, expected: RunAs) -> None:
    assert choose_run_as(me, namespaces=namespaces, unprivileged=unprivileged) == expected


def test_root_without_any_way_to_run_is_told_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="DATA_PLATFORM_POSTGRES_URL"):
        choose_run_as(ROOT, namespaces=False, unprivileged=None)


AVAILABLE = [Installation(16, 14, Path("/16")), Installation(18, 4, Path("/18")), Installation(18, 3, Path("/18old"))]


@pytest.mark.parametrize(("data_major", "expected"), [(None, "/18"), (18, "/18"), (16, "/16")])
def test_the_newest_fitting_installation_is_chosen(data_major: int | None, expected: str) -> None:
    assert choose_installation(AVAILABLE, data_major).bin == Path(expected)


def test_data_of_a_missing_version_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 17; here are only 16\.14, 18\.3, 18\.4"):
        choose_installation(AVAILABLE, 17)


def test_every_installation_found_can_run_here() -> None:
    found = installations()
    assert max(each.major for each in found) >= 16
    assert all((each.bin / program).exists() for each in found for program in ("initdb", "pg_ctl", "postgres"))


@pytest.mark.parametrize("content", [None, "", "eighteen"])
def test_a_folder_that_is_no_data_folder_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "PG_VERSION").write_text(content)
    with pytest.raises(ConfigurationError, match="no PostgreSQL data folder"):
        major_of(tmp_path)


@pytest.mark.parametrize(
    ("ping", "pid", "pid_lives", "workers", "expected"),
    [
        (Ping.OK, 7, True, frozenset({7, 8}), State.RUNNING),
        (Ping.REJECT, 7, True, frozenset({7, 8}), State.CHANGING),
        (Ping.NO_RESPONSE, 7, True, frozenset({7}), State.CHANGING),
        (Ping.NO_RESPONSE, 7, False, frozenset({8, 9}), State.ORPHANS),
        (Ping.NO_RESPONSE, None, False, frozenset({8}), State.ORPHANS),
        (Ping.NO_RESPONSE, 7, True, frozenset(), State.STALE),
        (Ping.NO_RESPONSE, 7, False, frozenset(), State.STOPPED),
        (Ping.NO_RESPONSE, None, False, frozenset(), State.STOPPED),
        (Ping.NO_RESPONSE, 7, True, None, State.CHANGING),
        (Ping.NO_RESPONSE, 7, False, None, State.STOPPED),
    ],
)
def test_what_the_signs_say(
    ping: Ping, pid: int | None, pid_lives: bool, workers: frozenset[int] | None, expected: State
) -> None:
    assert judge(ping, pid, pid_lives=pid_lives, workers=workers) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", None),
        ("all is well\n", None),
        (
            "2026-01-01 00:00:00.000 UTC [9] FATAL:  could not write lock file: No space left on device\nstopped\n",
            "FATAL:  could not write lock file: No space left on device",
        ),
        (
            "waiting for server to start....2026-01-01 00:00:00.000 UTC [9] FATAL:  lock file\n"
            "pg_ctl: could not start server\nExamine the log output.\n",
            "FATAL:  lock file",
        ),
        ("pg_ctl: could not start server\n", "pg_ctl: could not start server"),
        ("initdb: error: could not create directory\ninitdb: removing\n", "initdb: error: could not create directory"),
        ("ERROR:  one\nFATAL:  two\nFATAL:  three.\n", "FATAL:  two; FATAL:  three"),
    ],
)
def test_the_gist_of_a_log(said: str, expected: str | None) -> None:
    assert gist(said) == expected


def test_the_longest_possible_home_is_accepted_and_one_byte_more_refused() -> None:
    room = MAX_SOCKET_BYTES - len("/" + "/postgres/run/.s.PGSQL.5432")
    assert len(os.fsencode(layout_of(Path("/" + "x" * room)).socket)) == MAX_SOCKET_BYTES
    with pytest.raises(ConfigurationError, match=r"shorter") as caught:
        layout_of(Path("/" + "x" * (room + 1)))
    assert "DATA_PLATFORM_HOME" in str(caught.value)


def test_the_length_is_counted_in_bytes() -> None:
    with pytest.raises(ConfigurationError):
        layout_of(Path("/" + "ü" * 50))


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b", "a\nb"])
def test_characters_that_a_shell_would_read_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        layout_of(Path("/home") / name)
