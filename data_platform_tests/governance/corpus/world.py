"""Files that nobody may see beside one permitted table, and the words by which a leak of them is known."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from data_platform_tests.governance.market import write_parquet

NUMBER: Final = "977313"

LEAKS: Final = (
    *("sekrit", NUMBER, "compustat_annual", "ff_factors_daily", "vault", "hidden_macro", "mood"),
    *("root:x:0", "path="),
)
"""What no answer may hold, in small letters: foreign values, foreign names, what files of the system hold."""

_VALUES: Final = ("sekrit-", NUMBER, "tickerq")
"""What no error may hold: stored values, permitted ones too."""

_NAMES: Final = ("sekrit", "compustat_annual", "ff_factors_daily")


def leaked_by_error(said: str, sql: str) -> list[str]:
    """What an error tells: stored values, and foreign names that the statement does not name itself."""
    said, asked = said.lower(), sql.lower()
    return [word for word in (*_VALUES, *_NAMES) if word in said and (word in _VALUES or word not in asked)]


def permitted_rows() -> pa.Table:
    """Fifty rows of crsp_daily."""
    days = [dt.date(2020, 1, 6) + dt.timedelta(days=day) for day in range(10)]
    return pa.table(
        {
            "permno": pa.array([10001 + i // 10 for i in range(50)], pa.int32()),
            "date": pa.array(days * 5, pa.date32()),
            "ticker": [f"TICKERQ{i // 10}" for i in range(50)],
            "prc": [10.0 + i for i in range(50)],
            "ret": [None if i % 17 == 0 else (i % 7 - 3) / 100 for i in range(50)],
        }
    )


def foreign_rows() -> pa.Table:
    """One row of compustat_annual."""
    table = pa.table(
        {
            "gvkey": pa.array([7], pa.int32()),
            "date": pa.array([dt.date(2020, 1, 6)], pa.date32()),
            "tic": ["SEKRIT-AAPL"],
            "atq": [float(NUMBER)],
            "sekrit_flag": [True],
        }
    )
    return table.replace_schema_metadata({b"owner": b"SEKRIT-owner"})


def foreign_factors() -> pa.Table:
    """One row of ff_factors_daily."""
    return pa.table(
        {"date": pa.array([dt.date(2020, 1, 6)], pa.date32()), "mktrf": [float(NUMBER)], "rf": [float(NUMBER)]}
    )


def lay_out(root: Path) -> None:
    """Write everything under `root`: foreign tables, texts, a database, a link, folders to write to."""
    write_parquet(permitted_rows(), root / "crsp.parquet")
    write_parquet(foreign_rows(), root / "other.parquet")
    write_parquet(foreign_factors(), root / "ff.parquet")
    write_parquet(foreign_rows(), root / "hive" / "year=2020" / "a.parquet")
    (root / "link.parquet").symlink_to("other.parquet")
    (root / "secret.txt").write_text("SEKRIT-text")
    (root / "secret.csv").write_text("a,b\nSEKRIT-csv,1\n")
    (root / "secret.json").write_text(json.dumps({"a": "SEKRIT-json"}) + "\n")
    (root / "out").mkdir()
    for name in ("secret", "vault"):
        with duckdb.connect(str(root / f"{name}.duckdb")) as database:
            database.execute("CREATE TABLE ledger AS SELECT 'SEKRIT-ledger' AS owner, 1 AS n")
            if name == "secret":
                database.execute(f"EXPORT DATABASE '{root / 'exported'}'")


def contents(*folders: Path) -> dict[str, str]:
    """Every file below the folders, with the hash of what is in it."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"
        for folder in folders
        for path in sorted(folder.rglob("*"))
    }
