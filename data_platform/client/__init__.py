"""The Python client of the HTTP interface: `from data_platform.client import connect`.

What belongs here: asking a server and turning its answers into Arrow, Polars or pandas and its errors into ours
(`connection`, `result`, `transport`, `address`), and how an error travels (`wire`), which the server uses too. Rows
arrive as Arrow, so that types stay what they were.

What does not: any rule. The server decides everything; this room knows no service, no warehouse and no Dagster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_platform.client.connection import Client


def connect(url: str | None = None, token: str | None = None) -> Client:
    """Connect to a server; without arguments, to that of DATA_PLATFORM_URL as the user of DATA_PLATFORM_TOKEN.

    Nothing is asked yet. Use it in a `with` block, or `close` it.

    Raises:
        ConfigurationError: when no server is named, the address is none, or the token would travel unencrypted.
    """
    # The server imports this package for the form of errors, and needs none of the rest.
    from data_platform.client.connection import Client  # noqa: PLC0415 - see above
    from data_platform.settings import load_settings  # noqa: PLC0415 - see above

    settings = load_settings() if url is None or token is None else None
    if settings is not None:
        url = url or settings.url
        token = token or (settings.token.get_secret_value() if settings.token else None)
    return Client(url, token)


__all__ = ["connect"]
