"""The stream between worker and parent: frames of one type byte, a length of eight bytes, and that many bytes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from enum import Enum
from typing import Final

HEADER: Final = struct.Struct("!cQ")
_LONGEST: Final = 64 * 1024 * 1024


class Frame(Enum):
    """What a frame holds."""

    TASK = b"T"
    COLUMNS = b"C"
    ARROW = b"A"
    PROBLEM = b"P"
    DONE = b"D"


class FrameTooLongError(ValueError):
    """A frame is longer than its receiver takes, which its header said before any of it was kept."""


def send_frame(channel: socket.socket, kind: Frame, payload: bytes | memoryview) -> None:
    """Write one frame; blocks until the other side has taken it."""
    channel.sendall(HEADER.pack(kind.value, len(payload)))
    channel.sendall(payload)


class FrameParser:
    """Cuts received bytes back into frames, whatever pieces they arrive in; none may have more bytes than `longest`."""

    def __init__(self, longest: int = _LONGEST) -> None:
        self._longest = longest
        self._pending = bytearray()

    def feed(self, received: bytes) -> Iterator[tuple[Frame, bytes]]:
        """Take more bytes and yield each frame that is now complete.

        Raises:
            FrameTooLongError: before a frame is kept that is too long.
            ValueError: when the bytes are not a frame; nothing from that sender can be trusted then.
        """
        self._pending += received
        while len(self._pending) >= HEADER.size:
            tag, length = HEADER.unpack_from(self._pending)
            kind = Frame(tag)
            if length > self._longest:
                raise FrameTooLongError(kind.name)
            end = HEADER.size + length
            if len(self._pending) < end:
                return
            with memoryview(self._pending) as pending, pending[HEADER.size : end] as part:
                payload = bytes(part)
            del self._pending[:end]
            yield kind, payload


def receive_frame(channel: socket.socket) -> tuple[Frame, bytes]:
    """Read exactly one frame.

    Raises:
        EOFError: when the other side closed first.
    """
    tag, length = HEADER.unpack(_receive(channel, HEADER.size))
    return Frame(tag), _receive(channel, length)


def _receive(channel: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        piece = channel.recv(count - len(received))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)
