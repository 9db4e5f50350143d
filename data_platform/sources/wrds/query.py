"""The extract query of a table: read from its file, bound to a partition, and checked against the catalog."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa
from psycopg2 import sql

from data_platform.catalog import Table, WrdsQuery
from data_platform.errors import ConfigurationError, SchemaError, UsageError
from data_platform.settings import PROJECT_ROOT
from data_platform.sources.base import place

if TYPE_CHECKING:
    from psycopg2 import extensions


def origin_of(table: Table) -> WrdsQuery:
    """The table's WRDS query.

    Raises:
        UsageError: for a table that does not come from WRDS.
    """
    if not isinstance(table.origin, WrdsQuery):
        raise UsageError(f"{table.name} does not come from WRDS.")
    return table.origin


def query_text(table: Table) -> str:
    """The text of the table's extract query, without a closing semicolon.

    Raises:
        ConfigurationError: when the file is missing from the checkout.
    """
    path = PROJECT_ROOT / "sql" / "extract" / origin_of(table).sql
    try:
        return path.read_text(encoding="utf-8").strip().removesuffix(";")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{table.name}: its extract query {path} is missing.", hint="Restore it from the repository."
        ) from None


def query_hash(text: str) -> str:
    """SHA-256 hex of the query's text, parameters unbound: equal for all partitions of a table."""
    return hashlib.sha256(text.encode()).hexdigest()


def bind(connection: extensions.connection, table: Table, partition: str, last: str | None = None) -> str:
    """The query with the partition's range in place of its parameters, quoted by the driver.

    With `last` the range goes on to the end of that partition.

    Raises:
        UsageError: when the partition does not fit the table.
    """
    dates = table.partition_range(partition)
    text = query_text(table)
    if dates is None:
        return text
    _, end = table.partition_range(last or partition) or dates
    with connection.cursor() as cursor:
        bound: bytes = cursor.mogrify(text, {"start": dates[0], "end": end})
    return bound.decode()


def in_key_order(query: str, table: Table) -> sql.Composed:
    """The bound query, its rows in the order of the table's key.

    Texts are ordered by their bytes, whatever the database's language. The order is added here and not written in the
    query's file, so that neither a fingerprint of the same query nor an extraction that finds the rows in order makes
    the server sort.
    """
    texts = {column.name for column in table.columns if pa.types.is_string(column.arrow_field.type)}
    terms = (
        sql.SQL('{}::text COLLATE "C"' if name in texts else "{}").format(sql.Identifier("extracted", name))
        for name in table.key
    )
    return sql.SQL("SELECT * FROM (\n{}\n) AS extracted ORDER BY {}").format(sql.SQL(query), sql.SQL(", ").join(terms))


def check_columns(found: list[str], table: Table, partition: str) -> None:
    """Compare what the query returns with what the catalog declares, names and order.

    Raises:
        SchemaError: naming the first column that differs.
    """
    declared = [column.name for column in table.columns]
    if found == declared:
        return
    missing = [name for name in declared if name not in found]
    surplus = [name for name in found if name not in declared]
    problem = (
        f"column {missing[0]} is missing"
        if missing
        else f"column {surplus[0]} is not declared"
        if surplus
        else "the columns stand in another order"
    )
    raise SchemaError(
        f"{place(table, partition)}: the extract query does not return the catalog's columns: {problem}.",
        hint=f"Bring sql/extract/{origin_of(table).sql} and the catalog in line.",
    )
