"""A fresh in-memory DuckDB that can open only the files it was given, and whose settings can't be changed again.

The order matters: views are made while files can still be opened, then the list of files is fixed, then everything
else is shut, then the settings are locked. `allowed_paths` alone would permit writing to those files as well; the
guard lets no writing statement through, and the process may not write a byte to any file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from data_platform.governance.engine.limits import EngineLimits


def open_session(views: Mapping[str, tuple[str, ...]], limits: EngineLimits) -> duckdb.DuckDBPyConnection:
    """Open the database with one view per table over its Parquet files, and lock it."""
    connection = duckdb.connect(":memory:")
    for statement in _statements(views, limits):
        connection.execute(statement)
    return connection


def _statements(views: Mapping[str, tuple[str, ...]], limits: EngineLimits) -> Iterator[str]:
    yield f"SET memory_limit = '{limits.memory_bytes}B'"
    yield f"SET threads = {limits.threads}"
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
