"""The locked session by itself, without the guard before it: what the door rests on when the guard errs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from data_platform.governance.engine.limits import EngineLimits
from data_platform.governance.engine.session import open_session, prepare
from data_platform_tests.governance.market import READING_FILES, crsp_rows, write_parquet


@pytest.fixture
def session(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    permitted = write_parquet(crsp_rows(10), tmp_path / "it's permitted.parquet")
    write_parquet(pa.table({"tic": ["SECRET1"]}), tmp_path / "other.parquet")
    with open_session({'odd "name': (permitted,)}, EngineLimits()) as connection:
        yield connection


def test_the_named_files_can_be_read(session: duckdb.DuckDBPyConnection) -> None:
    assert session.execute('SELECT count(*), count(DISTINCT permno) FROM "odd ""name"').fetchall() == [(50, 5)]


@pytest.mark.parametrize(
    "sql",
    [
        *READING_FILES,
        "SELECT * FROM '{folder}/other.parquet'",
        "SELECT * FROM read_parquet('{folder}/*.parquet')",
        "SELECT * FROM read_parquet('{folder}/../{name}/other.parquet')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/out.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/']",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '1TB'",
        "SET temp_directory = '{folder}/out'",
        "SET lock_configuration = false",
        "RESET lock_configuration",
        "SET python_enable_replacements = true",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
        "SELECT * FROM secret_df",
        "SELECT getenv('HOME')",
    ],
)
def test_everything_else_is_shut(session: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str) -> None:
    secret_df = pa.table({"a": [1]})  # what a replacement scan would find in this frame
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(duckdb.Error):
        session.execute(sql.replace("{folder}", str(tmp_path)).replace("{name}", tmp_path.name))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert secret_df.num_rows == 1


@pytest.mark.parametrize("column", ["filename", "file_row_number", "file_index", "rowid", '"odd ""name".filename'])
def test_a_view_does_not_give_away_where_its_files_are(session: duckdb.DuckDBPyConnection, column: str) -> None:
    with pytest.raises(duckdb.Error):
        session.execute(f'SELECT {column} FROM "odd ""name"').fetchall()


def test_a_prepared_database_becomes_the_session_that_a_new_one_would(tmp_path: Path) -> None:
    files = {"crsp_daily": (write_parquet(crsp_rows(10), tmp_path / "crsp.parquet"),)}
    limits = EngineLimits(threads=3)
    asked = "SELECT name, value FROM duckdb_settings() ORDER BY name"
    with duckdb.connect() as plain, open_session(files, limits, prepare()) as prepared:
        plain.execute("SET threads = 3")
        settings, defaults = (dict(each.execute(asked).fetchall()) for each in (prepared, plain))
        threads = [name for name in defaults if name.endswith("threads")]
        assert {name: settings[name] for name in threads} == {name: defaults[name] for name in threads}
        assert prepared.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == [
            ("crsp_daily",)
        ]
