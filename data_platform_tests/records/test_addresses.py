"""Addresses mean the same to every driver and are spoken of without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from data_platform.errors import ConfigurationError
from data_platform.records.addresses import Login, describe, normalised, parse, redacted, socket_url, with_login

PASSWORD = "p@ss/w:rd?&%41 ü"  # noqa: S105 - made up for this test


@pytest.mark.parametrize("folder", ["/tmp/plain", "/tmp/with space", "/tmp/a+b", "/tmp/100%", "/tmp/ü"])  # noqa: S108
def test_a_socket_url_means_the_same_to_libpq_and_sqlalchemy(folder: str) -> None:
    url = socket_url(Path(folder), 5432, "platform", Login("ann@home", PASSWORD))
    libpq, alchemy = conninfo_to_dict(url), make_url(url)
    assert (libpq["user"], libpq["password"], libpq["host"], libpq["dbname"]) == (
        "ann@home",
        PASSWORD,
        folder,
        "platform",
    )
    assert (alchemy.username, alchemy.password, alchemy.query["host"], alchemy.database) == (
        libpq["user"],
        libpq["password"],
        libpq["host"],
        libpq["dbname"],
    )


def test_another_login_keeps_the_address_and_leaves_the_owners_keys_out() -> None:
    url = "postgres://owner:secret@db.example:6000/ops?sslmode=verify-full&sslcert=/o.crt&sslkey=/o.key"
    service = parse(with_login(url, Login("service", PASSWORD)))
    assert service == {
        "user": "service",
        "password": PASSWORD,
        "host": "db.example",
        "port": "6000",
        "dbname": "ops",
        "sslmode": "verify-full",
    }


def test_a_url_without_a_database_means_the_database_named_like_its_role() -> None:
    assert parse(with_login("postgresql://owner@h/", Login("service", "x")))["dbname"] == "owner"


@pytest.mark.parametrize(
    "url", ["", "host=h password=hush", "mysql://u:hush@h/d", "postgresql://u:hush@h:port:7/d?nonsense=1", "hush"]
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(url)
    assert "hush" not in str(caught.value)


def test_a_url_is_described_without_its_password() -> None:
    assert describe("postgresql://ann:hush@h:5/ops") == "database 'ops' on h, port 5, as 'ann'"


def test_a_message_loses_the_password_in_either_spelling() -> None:
    url = "postgresql://ann:a%2Fb@h/ops"
    assert redacted("bad a/b or a%2Fb\nmore", url) == "bad *** or ***"


def test_the_short_scheme_becomes_the_long_one() -> None:
    assert normalised("postgres://h/d") == normalised("postgresql://h/d") == "postgresql://h/d"


def test_a_login_prints_without_its_password() -> None:
    assert "hush" not in repr(Login("ann", "hush"))
