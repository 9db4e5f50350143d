"""Documents that carry a hash of their own content, so that a changed byte is found whenever one is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import cast

from data_platform.errors import ChecksumMismatchError

SEE_VERIFY = "Run `data-platform verify` to see what depends on it, and with --repair to mend what can be mended."


def seal(content: Mapping[str, object], field: str) -> bytes:
    """The document as stored: readable JSON with the hash of everything else in `field`."""
    return json.dumps({**content, field: content_hash(content)}, indent=1).encode()


def unseal(data: bytes, field: str, *, name: str) -> dict[str, object]:
    """The content of a stored document; `name` says in an error what it is.

    Raises:
        ChecksumMismatchError: when it is torn or was changed.
    """
    try:
        content = cast("dict[str, object]", json.loads(data))
        claimed = content.pop(field)
    except (ValueError, AttributeError, KeyError, TypeError):
        raise ChecksumMismatchError(f"{name} is damaged: not a whole document.", hint=SEE_VERIFY) from None
    if claimed != content_hash(content):
        raise ChecksumMismatchError(f"{name} is damaged: its content has changed.", hint=SEE_VERIFY)
    return content


def content_hash(content: object) -> str:
    """SHA-256 over the document as canonical JSON: sorted keys, no spaces."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
