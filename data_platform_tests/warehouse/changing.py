"""A partition that changes from version to version, as random frames or by hand, in a table that the catalog knows."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.warehouse import SyncManifest, Warehouse
from data_platform_tests.warehouse.frames import publish

TABLE = "crsp_daily"
KEY = ("permno", "date")
COLUMNS = pa.schema(
    [
        pa.field("permno", pa.int32(), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("ret", pa.float64()),
        pa.field("ticker", pa.string()),
    ]
)
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=91)
"""When everything that is superseded by now has expired."""


def rows(seed: int, securities: int = 20, days: int = 50) -> pa.RecordBatch:
    """Securities by days in the key's order. Each seed has other returns in a few places, and lacks other rows."""
    random = np.random.default_rng(seed)
    count = securities * days
    returns = np.round(np.random.default_rng(0).standard_normal(count) / 100, 6)
    returns[random.integers(0, count, 10)] = random.standard_normal(10)
    returns[random.integers(0, count, 3)] = [np.nan, -0.0, 0.0]
    present = random.random(count) > 0.01
    days_since = np.tile(np.arange(days), securities) + (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    tickers = [None if index % 97 == 0 else f"T{index // days}é" for index in range(count)]
    return pa.record_batch(
        [
            pa.array(np.repeat(np.arange(10_001, 10_001 + securities), days)[present], pa.int32()),
            pa.array(days_since[present].astype(np.int32)).cast(pa.date32()),
            pa.array(returns[present], mask=random.random(int(present.sum())) < 0.01),
            pa.array([ticker for ticker, here in zip(tickers, present, strict=True) if here]),
        ],
        schema=COLUMNS,
    )


def wordy_rows(seed: int) -> pa.RecordBatch:
    """Rows whose texts compress the better the harder one tries: even a delta with all of them is a smaller file."""
    usual = rows(seed, 30, 100)
    words = np.array(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"])
    picked = words[np.random.default_rng(seed).integers(0, len(words), (usual.num_rows, 40))]
    texts = pa.array([" ".join(line) for line in picked.tolist()])
    return pa.record_batch([*usual.columns[:-1], texts], schema=COLUMNS)


def publish_rows(warehouse: Warehouse, seed: int, *, table: str = TABLE, partition: str = "2024") -> SyncManifest:
    """Publish the rows of a seed as the next version."""
    return publish(warehouse, table, partition, rows(seed), schema=COLUMNS)


def written(path: Path) -> list[str]:
    """The rows of a Parquet file as text, so that NaN equals NaN, and -0.0 is not 0.0."""
    return [repr(row) for row in pq.read_table(path).to_pylist()]


def expected(seed: int) -> list[str]:
    """What `written` gives for the rows of a seed."""
    return [repr(row) for row in rows(seed).to_pylist()]


def everything(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file under a folder: inode, time of change and content. Folders that are empty count too."""
    found: dict[str, tuple[int, int, bytes]] = {}
    for path in sorted(root.rglob("*")):
        stat = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(root))] = (stat.st_ino, stat.st_mtime_ns, content)
    return found


def flip(path: Path, position: int) -> None:
    """Change one bit of a file, as a failing disk does."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1
    path.write_bytes(data)


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it had last been changed that long ago."""
    then = dt.datetime.now(dt.UTC).timestamp() - seconds
    os.utime(path, (then, then))
