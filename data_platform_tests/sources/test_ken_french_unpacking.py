"""What the server may send instead of a zip with one CSV, and how each is named."""

from __future__ import annotations

import io
import zipfile

import pytest

from data_platform.errors import SourceError
from data_platform.sources.ken_french.unpacking import unpack
from data_platform_tests.sources.library_files import zip_of

GOOD = zip_of("a,b\r\n" * 2000, member="Factors.CSV")


def _flipped(payload: bytes) -> bytes:
    middle = payload.index(b"Factors.CSV") + 20
    return payload[:middle] + bytes([payload[middle] ^ 0xFF]) + payload[middle + 1 :]


def _zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _encrypted() -> bytes:
    plain = bytearray(zip_of("a", method=zipfile.ZIP_STORED))
    plain[6] |= 1
    plain[plain.index(b"PK\x01\x02") + 8] |= 1
    return bytes(plain)


def test_the_one_csv_comes_out_whole_whatever_stands_beside_it() -> None:
    member = unpack("x.zip", _zip({"readme.txt": "hello", "data.csv": ",A\n2024,1\n"}), "t all")

    assert (member.name, member.data) == ("data.csv", b",A\n2024,1\n")


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>Not here</body></html>", "is a web page"),
        (b"\xef\xbb\xbf\r\n <HTML>", "is a web page"),
        (b"just words", "is damaged or incomplete"),
        (GOOD[: len(GOOD) // 2], "is damaged or incomplete"),
        (GOOD[:-1], "is damaged or incomplete"),
        (_flipped(GOOD), "is damaged or incomplete"),
        (_encrypted(), "is damaged or incomplete"),
        (_zip({"readme.txt": "hello"}), "holds 0 CSV files"),
        (_zip({"a.csv": "1", "b.CSV": "2"}), "holds 2 CSV files"),
    ],
    ids=[
        "empty",
        "page",
        "page after a mark",
        "words",
        "half",
        "a byte short",
        "flipped",
        "locked",
        "no CSV",
        "two CSVs",
    ],
)
def test_anything_else_is_a_source_error_that_names_file_and_table(payload: bytes, problem: str) -> None:
    with pytest.raises(SourceError) as caught:
        unpack("Factors_CSV.zip", payload, "ff_factors_daily all")

    assert caught.value.message.startswith("ff_factors_daily all: Factors_CSV.zip ")
    assert problem in caught.value.message
    assert caught.value.exit_code == 1


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zip_of(b"0" * 3_000_000)
    assert len(bomb) < 10_000

    with pytest.raises(SourceError, match="unpacks to more than 1,000,000 bytes"):
        unpack("x.zip", bomb, "t all", max_bytes=1_000_000)
