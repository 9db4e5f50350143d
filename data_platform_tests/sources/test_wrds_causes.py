"""What libpq says, and what we make of it."""

from __future__ import annotations

import pytest

from data_platform.errors import CredentialsError
from data_platform.sources.wrds.address import WrdsAddress
from data_platform.sources.wrds.causes import connect_failure

ADDRESS = WrdsAddress("db.example.org", 9737, "wrds", "alice", "hunter2", "require")
PREFIX = 'connection to server at "db.example.org" (192.0.2.1), port 9737 failed: '


@pytest.mark.parametrize(
    ("text", "cause", "transient"),
    [
        ('FATAL:  password authentication failed for user "alice"', "refused user and password", False),
        ('FATAL:  PAM authentication failed for user "alice"', "refused user and password", False),
        ("fe_sendauth: no password supplied", "asks for a password and none is set", False),
        ("timeout expired", "did not answer in time", False),
        ("Connection timed out\n\tIs the server running there?", "did not answer in time", False),
        ("Connection refused\n\tIs the server running on that host?", "nothing listens there", True),
        ("No such file or directory", "nothing listens there", True),
        ('FATAL:  too many connections for role "alice"', "the account has no free connection", True),
        ("FATAL:  the database system is starting up", "the server is starting or stopping", True),
        ("server does not support SSL, but SSL was required", "no encrypted connection", False),
        ('FATAL:  database "wrds" does not exist', "the server has no such database", False),
        ("server closed the connection unexpectedly", "the connection was cut", True),
        ("something new, with hunter2 in it\nand more", "something new, with *** in it", False),
        ("", "no reason given", False),
    ],
)
def test_a_failed_connection_is_explained(text: str, cause: str, transient: bool) -> None:
    error, again = connect_failure(PREFIX + text if text else "", ADDRESS)

    assert cause in error.message
    assert "host db.example.org, port 9737, user alice" in error.message
    assert "\n" not in str(error)
    assert "hunter2" not in str(error)
    assert again is transient
    assert error.hint
    assert isinstance(error, CredentialsError) is ("password" in cause)


def test_an_unknown_host_is_not_tried_again() -> None:
    error, again = connect_failure('could not translate host name "x" to address: Name or service not known', ADDRESS)

    assert "the host name is unknown" in error.message
    assert not again
