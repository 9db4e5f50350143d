"""A clean partition as the detectors meet it: a frame, its declaration, its statistics and its history."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_platform.catalog import Table
from data_platform.quality import profile_frame
from data_platform.quality.anomalies import Anomaly, History, Statistics, detect, statistics_of


@dataclass(frozen=True, slots=True)
class Partition:
    """One year of a table, in key order. `statistics` are its own; `neighbours` those of the years before."""

    table: Table
    name: str
    label: str
    frame: pl.DataFrame
    statistics: Statistics
    neighbours: tuple[Statistics, ...]
    today: dt.date

    @property
    def known(self) -> History:
        """The history of a partition that was published before, as it is here."""
        return History((self.statistics,), self.neighbours)

    @property
    def new(self) -> History:
        """The history of a partition that was not."""
        return History((), self.neighbours)


def partitions_of(
    table: Table, years: Sequence[tuple[str, pl.DataFrame]], *, today: dt.date, label: str, folder: Path
) -> list[Partition]:
    """Consecutive years with up to five others, the nearest before, as their neighbours."""
    made: list[Partition] = []
    for name, frame in years:
        neighbours = tuple(each.statistics for each in made[-5:])
        statistics = statistics_of(table, staged(frame, folder))
        made.append(Partition(table, name, f"{label} {name}", frame, statistics, neighbours, today))
    return made


def judged(
    partition: Partition, frame: pl.DataFrame, history: History, folder: Path
) -> tuple[tuple[Anomaly, ...], float]:
    """What the detectors say of a frame in the partition's place, and the seconds they took, statistics included."""
    table, path = partition.table, staged(frame, folder)
    nulls = {name: frame.get_column(name).null_count() for name in frame.columns}
    profile = profile_frame(pl.scan_parquet(path), key=table.key, date_column=table.date_column, null_counts=nulls)
    started = time.perf_counter()
    statistics = statistics_of(table, path, profile=profile)
    anomalies = detect(table, partition.name, path, statistics, history, profile=profile, today=partition.today)
    return anomalies, time.perf_counter() - started


def staged(frame: pl.DataFrame, folder: Path) -> Path:
    """Write the frame where the one before it was."""
    path = folder / "staged.parquet"
    frame.write_parquet(path, compression="uncompressed")
    return path
