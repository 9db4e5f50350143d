"""Sending one message to one channel: tried again briefly, never for longer than its time, and explained when it fails.

It runs in a thread of its own that nobody waits for once its time is over, so neither a run nor the end of the process
hangs on a server that answers a byte at a time.
"""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_random_exponential,
)

from data_platform.alerting.causes import TIMED_OUT, Cause, explain
from data_platform.alerting.channels import Channel, sending
from data_platform.alerting.message import Message
from data_platform.errors import AlertDeliveryError

if TYPE_CHECKING:
    import apprise

TRIES: Final = 3
MESSAGE_SECONDS: Final = 30.0
"""How long one try may take as a whole; three of them end well before another sender takes the message over."""


class _Failed(Exception):  # noqa: N818 - a signal between the functions below
    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.text)
        self.cause = cause


def send(
    channel: Channel,
    service: apprise.Apprise,
    message: Message,
    *,
    pause: Callable[[float], None] = time.sleep,
    seconds: float = MESSAGE_SECONDS,
    within: float | None = None,
) -> None:
    """Send a message through an opened channel, trying up to three times where that may help at once.

    Args:
        channel: Whose name errors say.
        service: What `channels.open_channel` returned for it.
        message: What to send.
        pause: Called with the seconds to wait between tries.
        seconds: How long each try may take.
        within: How long all tries and pauses may take together; without it only their number ends them.

    Raises:
        AlertDeliveryError: saying why in our own words; no part of the address is in it.
    """
    ends = math.inf if within is None else time.monotonic() + within
    knock = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, _Failed) and error.cause.transient),
        stop=stop_any(stop_after_attempt(TRIES), stop_before_delay(math.inf if within is None else within)),
        wait=wait_random_exponential(multiplier=0.5, max=3.0),
        sleep=pause,
        reraise=True,
    )
    try:
        knock(lambda: _try(service, message, min(seconds, max(ends - time.monotonic(), 0.0))))
    except _Failed as failed:
        raise AlertDeliveryError(
            f"The channel {channel.name!r} did not take the message: {failed.cause.text}.",
            cause=failed.cause.text,
            hint="What to do about it: docs/runbooks/data-quality-ops.md",
        ) from None


def _try(service: apprise.Apprise, message: Message, seconds: float) -> None:
    done: Future[Cause | None] = Future()

    def work() -> None:
        sending.set(True)
        try:
            done.set_result(_notify(service, message))
        except BaseException as error:  # noqa: BLE001 - a plugin's own; its words could repeat the address
            done.set_result(Cause(f"the sending code failed ({type(error).__name__})", transient=False))

    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="alert-delivery", daemon=True).start()
    try:
        cause = done.result(timeout=seconds)
    except TimeoutError:
        cause = TIMED_OUT
    if cause is not None:
        raise _Failed(cause)


def _notify(service: apprise.Apprise, message: Message) -> Cause | None:
    with service.notify(  # pyright: ignore[reportUnknownMemberType] - its templates are typed in part
        message.body, title=message.title, notify_type=message.tone, body_format="text", log_level=_DEBUG
    ) as result:
        if result:
            return None
        return explain([(entry.level, entry.message) for entry in result.logs()])


_DEBUG: Final = 10
"""`logging.DEBUG`: only there is what tells one failure from another."""
