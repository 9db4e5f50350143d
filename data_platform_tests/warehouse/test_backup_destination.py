"""The place of the backups: every failure is one clear error that keeps the address's secrets."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path
from typing import IO

import pytest

from data_platform.errors import ConfigurationError
from data_platform.warehouse.backup.destination import Destination, DestinationError, shown


@pytest.fixture(params=["file", "memory"])
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Destination:
    return Destination.at(f"file://{tmp_path}/a b" if request.param == "file" else f"memory://{uuid.uuid4().hex}/x")


def fill(data: bytes):  # noqa: ANN201 - a function of one stream
    def write(sink: IO[bytes]) -> None:
        sink.write(data)

    return write


def test_objects_come_back_and_are_listed_with_their_sizes(destination: Destination) -> None:
    assert destination.sizes("objects") == {}
    assert destination.size("objects/a/1") is None
    destination.write("objects/a/1", fill(b"one"))
    destination.write("objects/b/2", fill(b"two!"))
    destination.write("sets/3", fill(b"3"))
    assert destination.sizes("objects") == {"objects/a/1": 3, "objects/b/2": 4}
    assert destination.size("objects/b/2") == 4
    with destination.reading("objects/b/2") as file:
        assert file.read() == b"two!"
    destination.delete("objects/a/1")
    destination.delete("objects/a/1")
    assert destination.sizes("objects") == {"objects/b/2": 4}


def test_an_object_that_is_not_finished_never_has_its_name(destination: Destination) -> None:
    def broken(sink: IO[bytes]) -> None:
        sink.write(b"half")
        assert destination.size("objects/1") is None
        raise ConfigurationError("stop")

    with pytest.raises(ConfigurationError, match="stop"):
        destination.write("objects/1", broken)
    assert destination.size("objects/1") is None
    assert destination.sizes("tmp") == {}


def test_unfinished_objects_of_killed_writers_are_cleared(destination: Destination) -> None:
    destination.write("tmp/left-behind", fill(b"half"))
    destination.clear_drafts()
    assert destination.sizes("tmp") == {}


def test_reading_what_is_not_there_is_an_error_of_the_place(destination: Destination) -> None:
    with pytest.raises(DestinationError, match="FileNotFoundError"), destination.reading("objects/none"):
        pass


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nope://place", "no URL for backups: Protocol not known: nope"),
        ("sftp://user:hidden@host/folder", "library is not installed"),
        ("s3://key:hidden@bucket/folder", "library is not installed"),
    ],
)
def test_a_url_that_can_not_be_used_is_a_setting_to_correct(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        Destination.at(url)
    assert "DATA_PLATFORM_BACKUP_URL" in caught.value.message
    assert "hidden" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(DestinationError, match=f"ftp://127.0.0.1:{port}/folder.*Connection refused") as caught:
            Destination.at(f"ftp://user:hid%2Fden@127.0.0.1:{port}/folder")
    assert "hid" not in str(caught.value)


def test_a_place_that_is_a_file_is_an_error_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    destination = Destination.at(f"file://{tmp_path}/file")
    with pytest.raises(DestinationError, match=r"NotADirectoryError|FileExistsError"):
        destination.write("objects/1", fill(b"x"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket/folder", "s3://bucket/folder"),
        ("s3://key:secret@bucket/folder?token=secret", "s3://bucket/folder"),
        ("ftp://u:a@b:c@host/x", "ftp://host/x"),
        ("/a/folder", "/a/folder"),
    ],
)
def test_people_see_an_address_without_credentials(url: str, expected: str) -> None:
    assert shown(url) == expected
