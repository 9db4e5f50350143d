"""Frames keep their edges however the bytes are cut."""

from __future__ import annotations

import socket

import pytest

from data_platform.governance.engine.frames import (
    HEADER,
    Frame,
    FrameParser,
    FrameTooLongError,
    receive_frame,
    send_frame,
)


def sent(*frames: tuple[Frame, bytes]) -> bytes:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for kind, payload in frames:
            send_frame(ours, kind, payload)
        ours.shutdown(socket.SHUT_WR)
        received = b""
        while piece := theirs.recv(65536):
            received += piece
    return received


FRAMES = [(Frame.COLUMNS, b"[]"), (Frame.ARROW, b""), (Frame.ARROW, bytes(range(256)) * 5), (Frame.DONE, b"{}")]


@pytest.mark.parametrize("size", [1, 2, 7, 9, 10, 64, 10_000])
def test_frames_are_found_in_pieces_of_any_size(size: int) -> None:
    stream = sent(*FRAMES)
    parser = FrameParser()
    found = [frame for i in range(0, len(stream), size) for frame in parser.feed(stream[i : i + size])]
    assert found == FRAMES


@pytest.mark.parametrize("stream", [b"?" + b"\0" * 8, HEADER.pack(b"A", 2**40), b"GET / HTTP/1.1\r\n"])
def test_bytes_that_are_no_frame_are_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(FrameParser().feed(stream))


def test_a_frame_that_is_too_long_is_refused_by_its_header() -> None:
    parser = FrameParser(longest=10)
    assert list(parser.feed(HEADER.pack(b"A", 10) + b"x" * 10)) == [(Frame.ARROW, b"x" * 10)]
    with pytest.raises(FrameTooLongError):
        list(parser.feed(HEADER.pack(b"A", 11)))


def test_a_sender_that_stops_in_the_middle_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(HEADER.pack(b"T", 10) + b"12345")
        ours.close()
        with pytest.raises(EOFError):
            receive_frame(theirs)
