"""Made-up tables that queries are tried on: two exchanges, three securities, a year and a half, with gaps."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from data_platform_tests.governance.market import write_parquet

SEED: Final = 20200102
_SECURITIES: Final = (10001, 10002, 10003)


def tables() -> dict[str, pa.Table]:
    """Daily and monthly returns, names and factors; a few hundred rows, the same in every run."""
    dice = random.Random(SEED)  # noqa: S311 - made-up data
    days = [dt.date(2020, 1, 2) + dt.timedelta(days=day) for day in range(0, 540, 5)]
    daily = [(permno, day) for permno in _SECURITIES for day in days if dice.random() < 0.9]
    months = [dt.date(2020 + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1) for month in range(1, 19)]
    monthly = [(permno, day) for permno in _SECURITIES for day in months]
    return {
        "crsp_daily": pa.table(
            {
                "permno": pa.array([permno for permno, _ in daily], pa.int32()),
                "date": pa.array([day for _, day in daily], pa.date32()),
                "ticker": [f"T{permno}" for permno, _ in daily],
                "prc": [round(dice.uniform(5, 100), 2) for _ in daily],
                "ret": [None if dice.random() < 0.05 else round(dice.gauss(0, 0.02), 6) for _ in daily],
                "vol": [float(dice.randrange(0, 5000)) if dice.random() < 0.95 else None for _ in daily],
                "shrout": pa.array([dice.choice([1000, 1001, 1500]) for _ in daily], pa.int64()),
            }
        ),
        "crsp_monthly": pa.table(
            {
                "permno": pa.array([permno for permno, _ in monthly], pa.int32()),
                "date": pa.array([day for _, day in monthly], pa.date32()),
                "ret": [None if dice.random() < 0.1 else round(dice.gauss(0.01, 0.05), 6) for _ in monthly],
            }
        ),
        "crsp_names": pa.table(
            {
                "permno": pa.array([10001, 10001, 10002, 10003], pa.int32()),
                "ticker": ["T10001", "OLD", "T10002", "T10003"],
                "exchange": ["N", "Q", "N", "Q"],
                "start": pa.array([dt.date(2020, 6, 1), dt.date(2019, 1, 1), dt.date(2019, 1, 1), dt.date(2020, 3, 1)]),
                "stop": pa.array([dt.date(2030, 1, 1), dt.date(2020, 5, 31), dt.date(2030, 1, 1), dt.date(2021, 1, 1)]),
            }
        ),
        "ff_factors_daily": pa.table(
            {
                "date": pa.array(days, pa.date32()),
                "mktrf": [round(dice.gauss(0, 0.01), 5) for _ in days],
                "smb": [round(dice.gauss(0, 0.005), 5) for _ in days],
                "hml": [round(dice.gauss(0, 0.005), 5) if dice.random() < 0.95 else None for _ in days],
                "rf": [0.0001] * len(days),
            }
        ),
    }


def write(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """One Parquet file for each table; what the engine is handed."""
    return {name: (write_parquet(table, folder / f"{name}.parquet"),) for name, table in tables().items()}


def open_plain(views: Mapping[str, tuple[str, ...]]) -> duckdb.DuckDBPyConnection:
    """DuckDB itself over the same files, with no restriction."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB"})
    connection.execute("SET TimeZone = 'UTC'")
    for name, files in views.items():
        connection.read_parquet(list(files)).create_view(name)
    return connection
