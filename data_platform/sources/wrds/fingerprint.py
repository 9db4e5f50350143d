"""What a partition looks like at the server: columns, and a digest of its rows made by the server.

The relation's comment, in which WRDS dates its refreshes, is shown and not counted: by the rows' digest a refresh
that left a partition as it was costs no extraction, and two refreshes on one day are told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from data_platform.catalog import Table
from data_platform.sources.base import Fingerprint, declaration_digest, digest
from data_platform.sources.wrds.query import bind, origin_of, query_hash, query_text

if TYPE_CHECKING:
    from psycopg2 import extensions

_COMMENT = "SELECT obj_description(to_regclass(%s)::oid, 'pg_class')"

_COLUMNS = """
SELECT column_name, data_type, numeric_precision, numeric_scale, character_maximum_length
FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s
ORDER BY column_name
"""

# The sum of the rows' hashes does not depend on their order, so the query is wrapped without one: the server reads
# each row once, sorts nothing and keeps nothing.
_ROWS = """
SELECT count(*), max(q.{date})::text, coalesce(sum(hashtextextended(q::text, 0)::numeric), 0)::text
FROM (
{query}
) AS q
"""


def fingerprint(connection: extensions.connection, table: Table, partition: str) -> Fingerprint:
    """Ask the server for everything that would make a new extraction differ; no row leaves it."""
    origin = origin_of(table)
    text_hash = query_hash(query_text(table))
    with connection.cursor() as cursor:
        cursor.execute(_COMMENT, (origin.relation,))
        comment: str = (cursor.fetchone() or (None,))[0] or ""
        cursor.execute(_COLUMNS, origin.relation.split(".", maxsplit=1))
        columns = [list(row) for row in cursor.fetchall()]
        cursor.execute(
            sql.SQL(_ROWS).format(
                date=sql.Identifier(table.date_column), query=sql.SQL(bind(connection, table, partition))
            )
        )
        count, last_date, content = cursor.fetchone() or (0, None, "0")
    counted = {
        "declaration_hash": declaration_digest(table),
        "columns_hash": digest(columns),
        "content_hash": digest(content),
        "max_date": last_date or "",
        "query_hash": text_hash,
    }
    return Fingerprint(
        value=digest({"rows": count, **counted}),
        row_count=int(count),
        details={"comment": comment, **counted},
        query_hash=text_hash,
    )
