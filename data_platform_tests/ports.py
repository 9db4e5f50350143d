"""Ports for servers that begin to listen later than they are told where."""

from __future__ import annotations

import random
import socket
from typing import Final

_BELOW_THE_EPHEMERAL: Final = range(20_000, 32_768)
"""Outgoing connections get ports from 32768 on (Linux), so that none takes one of these before the server does."""


def free_port() -> int:
    """A port of this machine that nobody listens on at this moment."""
    for port in random.SystemRandom().sample(_BELOW_THE_EPHEMERAL, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("200 ports were tried, and each is taken")
