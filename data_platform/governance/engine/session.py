"""A fresh in-memory DuckDB that can open only the files it was given, and whose settings can't be changed again.

Making a DuckDB takes longer than most point queries, so the fork server makes one (`prepare`), which has no thread and
is asked nothing but to parse two constants, and each worker opens its session on the copy that its fork gave it.

The order matters: views are made while files can still be opened, then the list of files is fixed, then everything
else is shut, then the settings are locked. `allowed_paths` alone would permit writing to those files as well; the
guard lets no writing statement through, and the process may not write a byte to any file.

Making a view reads the footers of all its files, so a session is begun before it is known which tables are asked for
and locked over those alone. What lies between is DuckDB's parser, which is given the statement as a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from data_platform.governance.engine.limits import EngineLimits


def prepare() -> duckdb.DuckDBPyConnection:
    """An empty database without a thread of its own, which a process may be forked with."""
    prepared = duckdb.connect(":memory:", config={"threads": 1, "async_threads": 0})
    # What it looks up for the first statement of its kind, workers need not look up again.
    prepared.execute("SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))").fetchall()
    return prepared


def open_session(
    views: Mapping[str, tuple[str, ...]], limits: EngineLimits, prepared: duckdb.DuckDBPyConnection | None = None
) -> duckdb.DuckDBPyConnection:
    """Begin a session and lock it over one view per table."""
    connection = begin_session(limits, prepared)
    lock_session(connection, views)
    return connection


def begin_session(limits: EngineLimits, prepared: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyConnection:
    """A database with its limits, not locked yet: only its parser may be asked about anybody's text.

    `prepared` is used up: it is what `prepare` made, in a process that opens one session and ends.
    """
    # A session of its own, so that random numbers begin elsewhere in each fork.
    connection = (prepared or prepare()).cursor()
    for statement in _beginning(limits):
        connection.execute(statement)
    return connection


def lock_session(connection: duckdb.DuckDBPyConnection, views: Mapping[str, tuple[str, ...]]) -> None:
    """Make one view per table over its Parquet files, and shut everything else for good."""
    for statement in _locking(views):
        connection.execute(statement)


def _beginning(limits: EngineLimits) -> Iterator[str]:
    yield f"SET memory_limit = '{limits.memory_bytes}B'"
    yield f"SET threads = {limits.threads}"
    yield "RESET async_threads"
    yield "SET temp_directory = ''"
    yield "SET autoinstall_known_extensions = false"
    yield "SET autoload_known_extensions = false"
    yield "SET allow_community_extensions = false"
    yield "SET python_enable_replacements = false"
    yield "SET allow_persistent_secrets = false"
    yield "SET enable_progress_bar = false"
    # Binding for the description, again for the run, and running read the same footers, of files that never change.
    yield "SET parquet_metadata_cache = true"
    yield "SET errors_as_json = true"
    yield "SET TimeZone = 'UTC'"
    yield f"SET max_expression_depth = {limits.expression_depth}"


def _locking(views: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, files in views.items():
        yield f"CREATE VIEW {_identifier(name)} AS SELECT * FROM {_parquet(files)}"  # noqa: S608 - quoted; DDL takes no parameters
    yield f"SET allowed_paths = {_texts(sorted({file for files in views.values() for file in files}))}"
    yield "SET enable_external_access = false"
    yield "SET lock_configuration = true"


def _parquet(files: tuple[str, ...]) -> str:
    # By name, since files written before a column was added lack it; and no column out of a folder named `a=b`.
    return f"read_parquet({_texts(files)}, union_by_name = true, hive_partitioning = false)"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _texts(values: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"
