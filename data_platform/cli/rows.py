"""Values of a query as cells of a table."""

from __future__ import annotations

from data_platform.governance.result_rows import plain


def shown(value: object) -> object:
    """One value as a cell of a table: numbers stay numbers, the rest is text as people write it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return value if isinstance(value, str) else str(plain(value))
