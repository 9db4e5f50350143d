"""The network's ways to fail, against real servers on loopback."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler

import pytest

from data_platform.errors import ConfigurationError, SourceError
from data_platform.sources.ken_french.download import ATTEMPTS, download, is_loopback, library_client
from data_platform_tests.sources.library_files import misbehaving_server, send


def _fetch(url: str, **options: int) -> bytes:
    with library_client(url) as client:
        return download(client, "F_CSV.zip", "ff_factors_daily all", **options)


def test_a_file_arrives_byte_for_byte_and_is_asked_for_under_the_base_address() -> None:
    content = bytes(range(256)) * 1000
    with misbehaving_server(lambda handler, _: send(handler, content)) as (url, asked):
        assert _fetch(url + "ftp/") == content
        assert _fetch(url + "ftp") == content

    assert asked == ["/ftp/F_CSV.zip"] * 2


def test_redirects_are_followed() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            handler.send_response(302)
            handler.send_header("Location", "/elsewhere/F_CSV.zip")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            send(handler, b"here")

    with misbehaving_server(answer) as (url, asked):
        assert _fetch(url) == b"here"

    assert asked[-1] == "/elsewhere/F_CSV.zip"


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        (404, "is missing on the server 127.0.0.1 (HTTP 404)", 1),
        (410, "is missing on the server 127.0.0.1 (HTTP 410)", 1),
        (403, "refused F_CSV.zip (HTTP 403)", 1),
        (204, "refused F_CSV.zip (HTTP 204)", 1),
        (503, "the server failed (HTTP 503)", ATTEMPTS),
    ],
)
def test_a_refusal_is_named_and_only_the_servers_own_faults_are_tried_again(
    status: int, words: str, requests: int
) -> None:
    with (
        misbehaving_server(lambda handler, _: send(handler, b"", status=status)) as (url, asked),
        pytest.raises(SourceError) as caught,
    ):
        _fetch(url)

    assert caught.value.message.startswith("ff_factors_daily all: ")
    assert words in caught.value.message
    assert len(asked) == requests


def test_a_passing_fault_is_survived() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            send(handler, b"busy", status=500)
        elif number == 2:
            send(handler, b"half", length=1000)
        else:
            send(handler, b"whole")

    with misbehaving_server(answer) as (url, asked):
        assert _fetch(url) == b"whole"

    assert len(asked) == 3


def test_a_connection_that_breaks_off_is_a_clear_error() -> None:
    with (
        misbehaving_server(lambda handler, _: send(handler, b"x" * 500, length=100_000)) as (url, _),
        pytest.raises(SourceError, match=r"F_CSV\.zip could not be downloaded.*broke off after 500 bytes"),
    ):
        _fetch(url)


def test_a_flood_is_cut_off() -> None:
    with (
        misbehaving_server(lambda handler, _: send(handler, b"x" * 300_000)) as (url, asked),
        pytest.raises(SourceError, match="larger than 100,000 bytes"),
    ):
        _fetch(url, max_bytes=100_000)

    assert len(asked) == 1


def test_nothing_listening_is_a_clear_error_that_keeps_the_addresss_secrets() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://user:s3cret@127.0.0.1:{closed.getsockname()[1]}/t0ken/"
        with pytest.raises(SourceError, match="no connection could be made") as caught:
            _fetch(url)

    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://host/path/", "/srv/files", "file:///etc/passwd", "http://", ""])
def test_an_address_that_is_not_http_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not an HTTP address"):
        library_client(url)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("mba.tuck.dartmouth.edu", False)],
)
def test_loopback_is_reached_without_a_proxy(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
