"""What partitions look like at the server: columns, and a digest of each one's rows, all made in one query there.

The relation's comment, in which WRDS dates its refreshes, is shown and not counted: by the rows' digest a refresh
that left a partition as it was costs no extraction, two refreshes on one day are told apart, and a restated old year is
found whatever the comment says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from psycopg2 import sql

from data_platform.catalog import Partitioning, Table
from data_platform.catalog.model import WHOLE
from data_platform.catalog.stretches import stretches
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
# each row once, sorts nothing and keeps nothing but one line a partition.
_ROWS = """
SELECT {partition}, count(*), max({date})::text, coalesce(sum(hashtextextended(q::text, 0)::numeric), 0)::text
FROM (
{query}
) AS q
GROUP BY 1
"""


class _Content(NamedTuple):
    """What the server counts and hashes of a partition's rows; the defaults are those of a partition without any."""

    rows: int = 0
    last_date: str | None = None
    hash: str = "0"


def survey(connection: extensions.connection, table: Table, partitions: Sequence[str]) -> Mapping[str, Fingerprint]:
    """Ask the server for everything that would make a new extraction of each partition differ; no row leaves it."""
    origin = origin_of(table)
    text_hash = query_hash(query_text(table))
    with connection.cursor() as cursor:
        cursor.execute(_COMMENT, (origin.relation,))
        comment: str = (cursor.fetchone() or (None,))[0] or ""
        cursor.execute(_COLUMNS, origin.relation.split(".", maxsplit=1))
        columns = [list(row) for row in cursor.fetchall()]
    contents = _contents(connection, table, partitions)
    fixed = {
        "declaration_hash": declaration_digest(table),
        "columns_hash": digest(columns),
        "query_hash": text_hash,
    }
    found: dict[str, Fingerprint] = {}
    for partition in partitions:
        content = contents.get(partition, _Content())
        counted = {**fixed, "content_hash": digest(content.hash), "max_date": content.last_date or ""}
        found[partition] = Fingerprint(
            value=digest({"rows": content.rows, **counted}),
            row_count=content.rows,
            details={"comment": comment, **counted},
            query_hash=text_hash,
        )
    return found


def _contents(connection: extensions.connection, table: Table, partitions: Sequence[str]) -> Mapping[str, _Content]:
    """One query for each stretch of adjacent years; for a table kept whole, one."""
    date = sql.Identifier("q", table.date_column) if table.date_column is not None else sql.SQL("NULL::date")
    if table.partitioning is Partitioning.WHOLE:
        partition, spans = sql.Literal(WHOLE), [[each] for each in partitions]
    else:
        partition, spans = sql.SQL("to_char({}, 'YYYY')").format(date), stretches(partitions)
    found: dict[str, _Content] = {}
    for span in spans:
        query = sql.SQL(bind(connection, table, span[0], span[-1]))
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(_ROWS).format(partition=partition, date=date, query=query))
            found |= {name: _Content(int(rows), last, content) for name, rows, last, content in cursor.fetchall()}
    return found
