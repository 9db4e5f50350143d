"""The WHERE of a read that takes filters: only those that were given, so that each can be served by its index."""

from __future__ import annotations

from psycopg import sql


def where(*conditions: sql.Composable, **columns: object) -> sql.Composable:
    """Return `WHERE` with the conditions and an equality for each column whose value is not None, or nothing."""
    given = [
        *conditions,
        *(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in columns.items()
            if value is not None
        ),
    ]
    return sql.SQL("WHERE ") + sql.SQL(" AND ").join(given) if given else sql.SQL("")
