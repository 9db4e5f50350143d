"""`python -m benchmarks.quality_worker PART JOB`: one part of what is measured, in a process of its own.

JOB is a JSON document: host, port, dbname, user, password of the server, year, and target, the file of the year. Parts:
`extract` writes that file as a sync does and says what staging said of it, `judge` runs every check on it, `frame` says
how many bytes its rows take in memory. Prints one JSON document; seconds are without imports, and the peak memory is
that of the whole process.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.extract_worker import peak_kb
from data_platform.catalog import find_table

TABLE: Final = "crsp_daily"
Job = Mapping[str, Any]


def extract(job: Job) -> dict[str, Any]:
    """The year from the server to its file."""
    import wrds  # noqa: F401, PLC0415 - imported before the clock starts, as the other parts do

    from data_platform.sources.wrds.address import WrdsAddress  # noqa: PLC0415 - as above
    from data_platform.sources.wrds.source import open_wrds  # noqa: PLC0415 - as above
    from data_platform.sync.extracting import extract_to_file  # noqa: PLC0415 - as above

    started = time.monotonic()
    address = WrdsAddress(job["host"], job["port"], job["dbname"], job["user"], job["password"], "disable")
    with open_wrds("wrds", address) as source:
        staged = extract_to_file(source, find_table(TABLE), str(job["year"]), Path(job["target"]), iter)
    return {
        "seconds": time.monotonic() - started,
        "rows": staged.rows,
        "bytes": staged.bytes,
        "sha256": staged.sha256,
        "dates": [str(staged.min_date), str(staged.max_date)],
        "null_counts": dict(staged.null_counts),
    }


def judge(job: Job) -> dict[str, Any]:
    """Every check of the year, with five versions and five neighbours to compare with."""
    import exchange_calendars  # noqa: F401, PLC0415 - as above
    import pandera.polars  # noqa: F401, PLC0415 - as above
    import pyarrow.dataset  # noqa: F401, PLC0415 - as above

    from data_platform.quality.anomalies import History, statistics_of  # noqa: PLC0415 - as above
    from data_platform.quality.calendars import trading_calendar  # noqa: PLC0415 - as above
    from data_platform.sync.validation import Known  # noqa: PLC0415 - as above
    from data_platform.sync.validation import judge as judged  # noqa: PLC0415 - as above
    from data_platform.warehouse import StagedFile  # noqa: PLC0415 - as above

    table, said, path = find_table(TABLE), job["extracted"], Path(job["target"])
    low, high = (dt.date.fromisoformat(day) for day in said["dates"])
    staged = StagedFile(
        path, table.arrow_schema, said["rows"], said["bytes"], said["sha256"], low, high, said["null_counts"]
    )
    trading_calendar("XNYS")  # once a process
    history = History(())
    if job["with_history"]:
        same = statistics_of(table, path)
        history = History((same,) * 5, (same,) * 5)
    known = Known(dt.datetime.now(dt.UTC).date(), source_rows=staged.rows, history=history)
    started, used = time.monotonic(), time.process_time()
    verdict = judged(table, str(job["year"]), staged, known)
    return {
        "seconds": time.monotonic() - started,
        "cpu_seconds": time.process_time() - used,
        "checks": {result.validation_type.value: result.status.value for result in verdict.results},
    }


def frame(job: Job) -> dict[str, Any]:
    """The bytes of the year's rows as a frame."""
    import polars as pl  # noqa: PLC0415 - as above

    return {"bytes": pl.read_parquet(job["target"]).estimated_size()}


PARTS: Final[Mapping[str, Callable[[Job], dict[str, Any]]]] = {"extract": extract, "judge": judge, "frame": frame}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](json.loads(sys.argv[2])) | {"peak_kb": peak_kb()}))  # noqa: T201 - the answer
