"""The channels that the environment names, and opening one: from an address to a service that can send.

An address is what apprise calls a URL (https://appriseit.com): `mailtos://user:password@host?to=…`, `slack://tokens`,
`twilio://…`. Its kind, the part before `://`, is all of it that is ever shown.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from data_platform.errors import ConfigurationError
from data_platform.settings import Settings

if TYPE_CHECKING:
    import apprise

VARIABLE: Final = "DATA_PLATFORM_ALERT_CHANNELS"

SOCKET_SECONDS: Final = 10.0
"""How long a service may take to accept a connection, and to go on with an answer; an address can only say less."""

SPACING_SECONDS: Final = 1.0
"""How far apart requests to one service need to be, at most; apprise would have some five seconds apart."""

sending: Final[ContextVar[bool]] = ContextVar("sending", default=False)
"""Whether what runs is sending a message; then the libraries below apprise log nothing."""

_KIND: Final = re.compile(r"([a-z0-9]{1,32})://", re.IGNORECASE)
_TALKATIVE: Final = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
"""Loggers that write whole addresses."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A name, and where it leads."""

    name: str
    address: SecretStr = field(repr=False)

    @property
    def kind(self) -> str | None:
        """What sort of address it is, such as ``mailtos``; None when it is none."""
        found = _KIND.match(self.address.get_secret_value())
        return found[1].lower() if found else None


def configured(settings: Settings) -> Mapping[str, Channel]:
    """Return the channels of the settings by name; none when alerts are not sent."""
    return {name: Channel(name, address) for name, address in sorted(settings.alert_channels.items())}


def open_channel(channel: Channel) -> apprise.Apprise:
    """Return what sends to a channel, in one message at a time and within bounded time.

    Raises:
        ConfigurationError: naming the channel, when its address is none or several.
    """
    import apprise  # noqa: PLC0415 - takes a quarter of a second, and only who sends needs it

    _hush(apprise.LOGGER_NAME)
    asset = apprise.AppriseAsset(
        app_id="data-platform",
        app_desc="Alerts of the data platform",
        # Inline, in the thread that we give it: a thread of apprise's own would hold up the end of the process.
        async_mode=False,
        service_timeout=0,
        # Nothing on disk, no keys made.
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        pgp_autogen=False,
        pem_autogen=False,
        allow_templates=False,
    )
    opened = apprise.Apprise(asset=asset)
    quiet = sending.set(True)
    try:
        understood = opened.add(  # pyright: ignore[reportUnknownMemberType] - its dictionaries are typed in part
            channel.address.get_secret_value()
        )
    except Exception:  # noqa: BLE001 - whatever a plugin makes of an address, its own words could repeat it
        understood = False
    finally:
        sending.reset(quiet)
    services = [*opened]
    if not understood or len(services) != 1:
        raise ConfigurationError(
            f"The address of the channel {channel.name!r} can't be used: it is not exactly one address that apprise "
            "understands.",
            hint=f"Correct it in {VARIABLE}; how addresses are written: https://appriseit.com/services/",
        )
    service = services[0]
    service.socket_connect_timeout = min(service.socket_connect_timeout, SOCKET_SECONDS)
    service.socket_read_timeout = min(service.socket_read_timeout, SOCKET_SECONDS)
    service.request_rate_per_sec = min(service.request_rate_per_sec, SPACING_SECONDS)
    if service.overflow_mode == apprise.OverflowMode.UPSTREAM:
        # One message stays one: an SMS has the title and what fits.
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return opened


class _Hush(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - nothing of it counts
        return not sending.get()


_HUSH: Final = _Hush()


def _hush(library: str) -> None:
    """Keep apprise's log to ourselves, and what is below it silent while something is sent."""
    logger = logging.getLogger(library)
    logger.propagate = False
    # Only its most detailed lines tell a refused connection from a refused password.
    logger.setLevel(logging.DEBUG)
    # A warning that names the host, to somebody who asked for it with `verify=no`.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request is being made")
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_HUSH)
