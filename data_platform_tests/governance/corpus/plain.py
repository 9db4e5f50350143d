"""A DuckDB without a door: the tables of every dataset, a stranger's state, and no restriction of any kind."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from data_platform_tests.governance.corpus.reading import places_of
from data_platform_tests.governance.corpus.world import LEAKS, contents, lay_out, leaked_by_error

secret_module_df = pd.DataFrame({"owner": ["SEKRIT-module"], "n": [1]})

_ONLY_READS: Final = re.compile(
    r"\W*(select|from)\b(?!.*(;|\b(insert|update|delete|copy|merge|nextval|write_log)\b))", re.IGNORECASE | re.DOTALL
)

_STATE: Final = (
    "SELECT name, value FROM duckdb_settings()",
    "FROM duckdb_variables()",
    "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal",
    "SELECT database_name, table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal",
    "SELECT table_name, comment FROM duckdb_tables()",
    "SELECT sequence_name, last_value FROM duckdb_sequences()",
    "SELECT database_name, schema_name FROM duckdb_schemas()",
    "SELECT database_name, path FROM duckdb_databases()",
    # Not `duckdb_functions()`: it takes longer than all the others together.
    "SELECT hidden_macro()",
    "SELECT m(1)",
    "FROM m()",
    "SELECT abs(-1)",
    "SELECT type_name FROM duckdb_types() WHERE NOT internal",
    "SELECT name FROM duckdb_prepared_statements()",
    "SELECT index_name FROM duckdb_indexes()",
    "SELECT count(*) > 0 FROM duckdb_logs() WHERE message = 'SELECT ''SEKRIT-logged'''",
    "SELECT count(*) FROM duckdb_logs() WHERE message = 'SEKRIT'",
    "FROM memory.main.sekrit_scratch",
    "FROM memory.main.sekrit_words",
)


class Plain:
    """The open database over a folder of its own, made anew whenever a statement has changed something."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._template = folder / "template"
        lay_out(self._template)
        self._make()

    def evidence(self, sql: str) -> set[str]:
        """Run the statement; what it got that the door must not give, or changed that it must not change.

        Returns:
            Of `rows` (a foreign value, name or path in the answer), `error` (a stored value in an error), `changed`
            (a file or the database is another), `several` (more than one statement ran): what is true.
        """
        found: set[str] = set()
        try:
            rows, columns = self._run(sql)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is what is looked at
            if leaked_by_error(str(error), sql):
                found.add("error")
        else:
            answer = f"{columns} {rows}".lower()
            if any(word in answer for word in (*LEAKS, *self._server)):
                found.add("rows")
            with contextlib.suppress(duckdb.Error, ValueError):
                if len(duckdb.extract_statements(sql)) > 1:
                    found.add("several")
        # The state is looked at where it can be another; comparing it takes longer than most statements.
        if not (found and _ONLY_READS.match(sql)) and self._state() != self._before:
            found.add("changed")
            self.close()
            self._make()
        return found

    def close(self) -> None:
        """Close the database and remove the files."""
        self._connection.close()
        shutil.rmtree(self.root)

    def places(self) -> dict[str, str]:
        """What the placeholders of a statement stand for here."""
        row = self._connection.execute("SELECT json_serialize_sql('SELECT * FROM compustat_annual')").fetchone()
        assert row is not None
        return {
            **places_of(self.root, str(self.root / "other.parquet"), str(self.root / "crsp.parquet")),
            "SERIALIZED": str(row[0]),
        }

    def _run(self, sql: str) -> tuple[list[Any], list[str]]:
        # Named by statements: DuckDB looks for a table's name among the variables of the code that calls it.
        secret_df = pd.DataFrame({"owner": ["SEKRIT-pandas"], "n": [1]})
        secret_arrow = pa.Table.from_pandas(secret_df)
        secret_batch = secret_arrow.to_batches()[0]
        secret_reader = secret_arrow.to_reader()
        secret_polars = pl.DataFrame({"owner": ["SEKRIT-polars"]})
        secret_dict = {"owner": np.array(["SEKRIT-numpy"])}
        self._connection.execute(sql)
        del secret_batch, secret_reader, secret_polars, secret_dict
        return self._connection.fetchall(), [str(column[0]) for column in self._connection.description or []]

    def _make(self) -> None:
        self._made += 1
        # Always as long, so that a path is no other after it was made anew.
        self.root = self._folder / f"world{self._made:05}"
        shutil.copytree(self._template, self.root, symlinks=True)
        self._connection = duckdb.connect(":memory:", config={"custom_user_agent": "SEKRIT-agent", "threads": 1})
        for statement in self._statements():
            self._connection.execute(statement)
        platform = self._connection.execute("SELECT platform FROM pragma_platform()").fetchone()
        program = Path("/proc/self/cmdline").read_bytes().split(b"\0")[0].decode()
        self._server = [
            word.lower() for word in (str(self.root), duckdb.__version__, str(platform and platform[0]), program)
        ]
        self._before = self._state()

    def _statements(self) -> list[str]:
        views = {"crsp_daily": "crsp", "compustat_annual": "other", "ff_factors_daily": "ff"}
        return [
            f"SET home_directory = '{self.root}'",
            *(f"CREATE VIEW {name} AS FROM '{self.root / file}.parquet'" for name, file in views.items()),
            "CREATE SCHEMA sekrit_schema",
            "CREATE TABLE sekrit_schema.crsp_daily AS SELECT 'SEKRIT-schema' AS owner",
            "CREATE TABLE sekrit_schema.sekrit_more (a INTEGER)",
            f"ATTACH '{self.root / 'vault.duckdb'}' AS vault (READ_ONLY)",
            "CREATE TABLE sekrit_scratch (a INTEGER PRIMARY KEY DEFAULT 77, CHECK (a > -5))",
            "INSERT INTO sekrit_scratch VALUES (1)",
            "CREATE TABLE sekrit_words AS SELECT 'SEKRIT-word' AS word",
            "CREATE INDEX sekrit_index ON sekrit_words (word)",
            "CREATE SEQUENCE sekrit_numbers",
            "SELECT nextval('sekrit_numbers')",
            "CREATE MACRO hidden_macro() AS 'SEKRIT-macro'",
            "CREATE MACRO peek() AS TABLE FROM compustat_annual",
            "CREATE TYPE mood AS ENUM ('SEKRIT-mood')",
            "SET VARIABLE secret = 'SEKRIT-variable'",
            "SET VARIABLE statement = 'FROM compustat_annual'",
            "SET VARIABLE \"table\" = 'compustat_annual'",
            "PREPARE hidden AS SELECT 'SEKRIT-prepared'",
            "CALL enable_logging('QueryLog')",
            "SELECT 'SEKRIT-logged'",
        ]

    def _state(self) -> list[object]:
        state: list[object] = [contents(self.root)]
        for query in _STATE:
            try:
                state.append(sorted(map(str, self._connection.execute(query).fetchall())))
            except duckdb.Error as error:
                state.append(type(error).__name__)
        return state
