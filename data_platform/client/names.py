"""Names of a result's columns, of which SQL may give several the same. Pure."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa


def distinct_names(table: pa.Table) -> pa.Table:
    """The table with repeated column names numbered (`a`, `a_2`), since readers of Parquet look columns up by name."""
    taken = set(table.column_names)
    seen: Counter[str] = Counter()
    names: list[str] = []
    for name in table.column_names:
        seen[name] += 1
        unique = name
        while seen[name] > 1 and unique in taken:
            unique = f"{name}_{seen[name]}"
            seen[name] += unique in taken
        taken.add(unique)
        names.append(unique)
    return table.rename_columns(names)
