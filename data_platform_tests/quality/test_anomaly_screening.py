"""The cheap question never spares a suspect, and where a file is cut into blocks decides nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.quality_faults.scoring import INJECTORS
from benchmarks.quality_faults.severities import TUNING_SEEDS
from benchmarks.quality_faults.synthetic import market_partitions
from data_platform.catalog import Series, find_table
from data_platform.quality.anomalies import inspect, statistics_of
from data_platform.quality.anomalies.relations import flags, repeats, with_terms
from data_platform.quality.anomalies.screening import is_suspicious
from data_platform.quality.anomalies.suspects import SuspectsTally, suspects_in

CRSP = find_table("crsp_daily")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return market_partitions(TUNING_SEEDS[0], tmp_path_factory.mktemp("market"))[0].frame


@pytest.fixture(scope="module")
def series() -> Series:
    assert CRSP.series is not None
    return CRSP.series


@pytest.mark.parametrize("fault", sorted(INJECTORS))
def test_a_block_with_a_suspect_is_never_spared(fault: str, clean: pl.DataFrame, series: Series) -> None:
    for seed in range(2):
        wrong = INJECTORS[fault](clean, series, np.random.default_rng([seed]))
        assert wrong is not None
        frame = wrong.frame.select(series.columns)
        for start in range(0, frame.height, 2_000):
            block = frame.slice(start, 2_000)
            looked = {**flags(series), "_repeated": repeats(series)}
            found = with_terms(block.lazy(), series).select(pl.any_horizontal(list(looked.values())).any()).collect()
            assert not found.item() or is_suspicious(block, series)


def test_clean_blocks_are_mostly_spared(clean: pl.DataFrame, series: Series) -> None:
    blocks = [clean.select(series.columns).slice(start, 1000) for start in range(0, clean.height, 1000)]
    assert sum(is_suspicious(block, series) for block in blocks) <= 1


@pytest.mark.parametrize("fault", ["hundredfold", "stale_price", "duplicated_day", "swapped_columns", "level_shift"])
def test_where_blocks_end_decides_nothing(fault: str, clean: pl.DataFrame, series: Series, tmp_path: Path) -> None:
    wrong = INJECTORS[fault](clean, series, np.random.default_rng(3))
    assert wrong is not None
    path = tmp_path / "staged.parquet"
    wrong.frame.write_parquet(path)
    whole = suspects_in(series, path)
    assert whole is not None
    assert whole.rows.height + whole.dates.get_column("repeated").sum() > 0
    for size in (997, 2_003):
        tally = SuspectsTally(series, path, None)
        for start in range(0, wrong.frame.height, size):
            tally.add(wrong.frame.slice(start, size))
        cut = tally.result()
        assert cut.rows.equals(whole.rows)
        assert cut.dates.equals(whole.dates)


def test_reading_once_gives_what_reading_twice_does(clean: pl.DataFrame, series: Series, tmp_path: Path) -> None:
    path = tmp_path / "staged.parquet"
    clean.write_parquet(path)
    statistics, suspects = inspect(CRSP, path)
    twice = suspects_in(series, path)
    assert suspects is not None
    assert twice is not None
    assert statistics == statistics_of(CRSP, path)
    assert suspects.rows.equals(twice.rows)
    assert suspects.dates.equals(twice.dates)
    assert suspects.spans.sort("permno").equals(twice.spans.sort("permno"))
