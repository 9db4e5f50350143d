"""Texts that people type and the records keep: how long they may be, and what PostgreSQL can't store."""

from __future__ import annotations

from typing import Final

from data_platform.errors import UsageError

LONGEST: Final = 2000
"""How many characters a reason may have; the tables check the same."""

LONGEST_NAME: Final = 128
LONGEST_USER: Final = 256

_SHOWN: Final = 60


def bounded(text: str, what: str, longest: int = LONGEST) -> str:
    """Return the text without the white space around it, if the records can keep it.

    Args:
        text: What somebody typed; may be empty.
        what: The text's name at the beginning of a sentence, such as ``The reason``.
        longest: How many characters are allowed.

    Raises:
        UsageError: when it is too long, or holds a NUL character or half of a surrogate pair. The message gives
            lengths and positions, never the content.
    """
    stripped = text.strip()
    if len(stripped) > longest:
        raise UsageError(
            f"{what} is {len(stripped):,} characters long; at most {longest:,} are allowed.", hint="Shorten it."
        )
    return storable(stripped, what)


def storable(text: str, what: str) -> str:
    """Return the text, if PostgreSQL can store it.

    Raises:
        UsageError: when it holds a NUL character or half of a surrogate pair, as `bounded` says it.
    """
    if "\0" in text:
        raise UsageError(
            f"{what} holds a NUL character at position {text.index(chr(0)) + 1}.", hint="Remove that character."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{what} holds half of a surrogate pair at position {error.start + 1}, which is no character.",
            hint="Remove it, or send the text as valid UTF-8.",
        ) from None
    return text


def reason(text: str | None) -> str | None:
    """Return the reason that somebody gave; None when it is missing or blank.

    Raises:
        UsageError: when the records can't keep it.
    """
    return None if text is None else bounded(text, "The reason") or None


def name(text: str, what: str, longest: int = LONGEST_NAME) -> str:
    """Return the name, if something can be called that.

    Raises:
        UsageError: when it is empty, or the records can't keep it.
    """
    kept = bounded(text, what, longest)
    if not kept:
        raise UsageError(f"{what} is empty.", hint="Give a name.")
    return kept


def shown(text: str) -> str:
    """Return the text quoted for a message, its end left out when it is long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
