"""One number for all the ways of writing the same query: what the audit compares and counts."""

from __future__ import annotations

import hashlib
import logging
from typing import Final

LONGEST: Final = 8 * 1024
"""Characters of text that is parsed: this happens before a limit is asked, and parsing costs seconds for more."""


def fingerprint(sql: str) -> str:
    """SHA-256 (hex) of the query without its comments, formatting and case of keywords and names.

    Literals count: two queries that differ in a date are two queries. Text that does not parse, or has more than 8 KiB,
    is compared by its words alone. Never use it to decide anything: the parser behind it is not the engine's.
    """
    return hashlib.sha256(_normalised(sql).encode("utf-8", "surrogatepass")).hexdigest()


def _normalised(sql: str) -> str:
    import sqlglot  # noqa: PLC0415 - slow, and only queries need it
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers  # noqa: PLC0415 - as above

    words = " ".join(sql.split())
    if len(words) > LONGEST:
        return words
    # It would log the text of statements that it does not know.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        statements = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
        return ";".join(
            normalize_identifiers(tree, dialect="duckdb").sql(
                dialect="duckdb", comments=False, normalize_functions="upper"
            )
            for tree in statements
        )
    except Exception:  # noqa: BLE001 - any text may be audited, whatever it does to a parser
        return words
