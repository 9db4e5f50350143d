"""A statement and its bound parameters as one text: what the audit keeps, and what a replay reads back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

MARK: Final = "-- parameters: "
"""The last line of an audited statement that has parameters; the fingerprint does not see it."""

Encoded = Mapping[str, list[str]]
"""Parameters as `engine.parameters.encode` writes them: each one's name, type and value."""


def audited_text(sql: str, parameters: Encoded | None) -> str:
    """Join them; a statement without parameters stays as it is, unless its own last line could be taken for them."""
    if not parameters and not _last_line(sql).startswith(MARK):
        return sql
    return f"{sql}\n{MARK}{json.dumps(dict(parameters or {}), ensure_ascii=True)}"


def statement_of(text: str) -> tuple[str, dict[str, list[str]]]:
    """Take apart what `audited_text` joined."""
    last = _last_line(text)
    if not last.startswith(MARK):
        return text, {}
    return text.removesuffix(f"\n{last}"), json.loads(last.removeprefix(MARK))


def _last_line(text: str) -> str:
    return text.rpartition("\n")[2]
