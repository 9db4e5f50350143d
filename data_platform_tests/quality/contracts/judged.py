"""Frames judged as staged files are: written as Parquet, profiled, and held against a table's contract."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_platform.catalog import Table
from data_platform.quality import CheckResult, Judgement, ValidationType, judge_rows, profile_frame
from data_platform.sync.validation import Known, judge
from data_platform.warehouse import StagedFile
from data_platform.warehouse.integrity import hash_file


def judged(
    table: Table,
    frame: pl.DataFrame,
    references: Mapping[str, pl.LazyFrame] | None = None,
    *,
    row_group: int = 1_000,
) -> Judgement:
    """The contract's judgement on rows, whatever order they are in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame.write_parquet(path, row_group_size=row_group)
        profile = profile_frame(pl.scan_parquet(path), key=table.key, date_column=table.date_column, null_counts={})
        return judge_rows(path, table, profile, references or {})


def _as_stored(frame: pl.DataFrame) -> pa.Table:
    """The frame with texts of the type that is stored; polars has a wider one."""
    rows = frame.to_arrow()
    texts = {pa.large_string(), pa.string_view()}
    return rows.cast(
        pa.schema([field.with_type(pa.string()) if field.type in texts else field for field in rows.schema])
    )


def verdicts(
    table: Table, frame: pl.DataFrame, path: Path, *, partition: str = "all", today: dt.date = dt.date(2026, 6, 1)
) -> dict[ValidationType, CheckResult]:
    """All validators' verdicts on a frame, staged at `path` as it is, whatever the catalog says of its columns."""
    pq.write_table(_as_stored(frame), path)
    staged = StagedFile(
        path=path,
        schema=pq.read_schema(path),
        rows=frame.height,
        bytes=path.stat().st_size,
        sha256=hash_file(path),
        min_date=None,
        max_date=None,
        null_counts={name: frame.get_column(name).null_count() for name in frame.columns},
    )
    results = judge(table, partition, staged, Known(today)).results
    return {result.validation_type: result for result in results}
