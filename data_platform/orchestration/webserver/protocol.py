"""HTTP as uvicorn speaks it, without waiting for ever for the head of a request.

Leans on uvicorn 0.54: `H11Protocol` with its `cycle`, which is the request that is being answered. Of uvicorn's two
protocols it is the one that bounds the size of a head.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 10.0
MOST_CONNECTIONS: Final = 512
"""Of more at once the rest are told that the server is busy. A process has 1,024 descriptors on many machines."""


class PatientProtocol(H11Protocol):
    """Closes a connection that has not sent a whole head for ten seconds, or takes as long to be closed."""

    head_seconds: float = HEAD_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **named)
        self._look_again: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn itself does
        super().connection_made(transport)
        self._look()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.transport.get_protocol() not in {self, None} and self._idle_since is not None:
            return  # A WebSocket has taken over.
        now = self.loop.time()
        if self.transport.is_closing():
            # Closed in order, but nobody takes what is still to be sent.
            self.transport.abort()
            return
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self.head_seconds:
            self.transport.close()
        self._look_again = self.loop.call_later(self.head_seconds / 2, self._look)
