"""`python -m benchmarks.extract_worker WAY JOB`: one way out of the server, once, in a process of its own.

JOB is a JSON document: host (the folder of the socket), port, dbname, user, password, query (what our transport asks
for, columns under their published names), source_columns (those under the source's names), year, target (a file to
write) and folder (an empty one). Prints one JSON document: the rows that were written, when everything was imported,
on the machine's monotonic clock, and the peak memory.

Every way is used as its documentation recommends, and imports nothing that it does not need.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

Job = Mapping[str, Any]
Done = dict[str, float]


def ours(job: Job) -> Done:
    """The same code that a sync runs: session, transport, staging with its flush and hash."""
    from data_platform.catalog import find_table  # noqa: PLC0415 - each way imports its own
    from data_platform.sources.wrds.address import WrdsAddress  # noqa: PLC0415 - as above
    from data_platform.sources.wrds.source import open_wrds  # noqa: PLC0415 - as above
    from data_platform.sync.extracting import extract_to_file  # noqa: PLC0415 - as above

    ready = time.monotonic()
    address = WrdsAddress(job["host"], job["port"], job["dbname"], job["user"], job["password"], "disable")
    with open_wrds("wrds", address) as source:
        staged = extract_to_file(source, find_table("crsp_daily"), str(job["year"]), Path(job["target"]), iter)
        return {"rows": staged.rows, "ready": ready}


def raw_sql(job: Job) -> Done:
    """What most users do: the `wrds` package's frame, written by pandas."""
    import wrds  # noqa: PLC0415 - each way imports its own

    ready = time.monotonic()
    arguments = {name: job[name] for name in ("host", "port", "dbname", "user", "password")}
    client = wrds.Connection(
        autoconnect=False,
        wrds_username="by-keyword",
        wrds_password="",
        wrds_hostname="localhost",
        wrds_port=job["port"],
        wrds_dbname="by-keyword",
        wrds_connect_args={**arguments, "sslmode": "disable"},
    )
    client._Connection__make_sa_engine_conn(raise_err=True)
    frame = client.raw_sql(job["query"], date_cols=["date"])
    frame.to_parquet(job["target"], compression="zstd")
    return {"rows": len(frame), "ready": ready}


def connectorx(job: Job) -> Done:
    """What polars recommends: connectorx, over one connection."""
    import polars as pl  # noqa: PLC0415 - each way imports its own

    ready = time.monotonic()
    address = f"{quote(job['user'], safe='')}:{quote(job['password'], safe='')}@{quote(job['host'], safe='')}"
    uri = f"postgresql://{address}:{job['port']}/{job['dbname']}?sslmode=disable"
    frame = pl.read_database_uri(job["query"], uri, engine="connectorx")
    frame.write_parquet(job["target"], compression="zstd")
    return {"rows": frame.height, "ready": ready}


def db2pq(job: Job) -> Done:
    """db2pq by its default way: DuckDB's scanner to Arrow to Parquet."""
    os.environ |= {"PGPASSWORD": job["password"], "HOME": job["folder"]}
    import duckdb  # noqa: PLC0415 - each way imports its own
    import duckdb_extension_postgres_scanner as scanner  # noqa: PLC0415 - as above
    from db2pq import db_to_pq  # noqa: PLC0415 - as above
    from pyarrow import parquet  # noqa: PLC0415 - as above

    # Where DuckDB looks for what it would otherwise download.
    (name,) = duckdb.sql("PRAGMA platform").fetchone() or ("",)
    version = f"v{duckdb.__version__}"
    kept = Path(job["folder"]) / ".duckdb" / "extensions" / version / name
    kept.mkdir(parents=True)
    (extension,) = (Path(scanner.__path__[0]) / "extensions" / version).iterdir()
    (kept / extension.name).symlink_to(extension)
    ready = time.monotonic()
    written = db_to_pq(
        "dsf_v2",
        "crsp",
        user=job["user"],
        # It goes into an address, where a folder has to be written so.
        host=quote(job["host"], safe=""),
        database=job["dbname"],
        port=job["port"],
        data_dir=job["folder"],
        keep=[f"^{name}$" for name in job["source_columns"]],
        where=f"dlycaldt >= '{job['year']}-01-01' AND dlycaldt < '{job['year'] + 1}-01-01'",
    )
    return {"rows": parquet.read_metadata(written).num_rows, "ready": ready}


def peak_kb() -> int:
    """The most memory that this process has had; what `wait4` says of it begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


WAYS: Final[Mapping[str, Callable[[Job], Done]]] = {
    "ours": ours,
    "raw_sql": raw_sql,
    "connectorx": connectorx,
    "db2pq": db2pq,
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](json.loads(sys.argv[2])) | {"peak_kb": peak_kb()}))  # noqa: T201 - the answer
