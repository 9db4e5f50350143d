"""The benchmark of injected faults in small, on a few of the markets that figures are measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality_faults.figures import Figures
from benchmarks.quality_faults.real import FILE
from benchmarks.quality_faults.running import score_real, score_synthetic
from benchmarks.quality_faults.scoring import INJECTORS, Score, inject, judge_clean
from benchmarks.quality_faults.severities import EVALUATION_SEEDS, TUNING_SEEDS, WARNINGS
from benchmarks.quality_faults.synthetic import monthly_partitions
from data_platform.quality.anomalies import GRADES, Metric, Severity

MARKETS = 6


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    return Figures.of(score_synthetic(EVALUATION_SEEDS[:MARKETS], tmp_path_factory.mktemp("faults")))


def test_every_kind_of_fault_is_injected_and_graded_as_fixed_beforehand() -> None:
    assert set(INJECTORS) == {metric.value for metric in Metric}
    assert {metric.value for metric, grade in GRADES.items() if grade is Severity.WARNING} == WARNINGS
    assert not set(TUNING_SEEDS) & set(EVALUATION_SEEDS)


def test_injected_faults_are_found_under_their_own_names(synthetic: Figures) -> None:
    assert synthetic.injected == dict.fromkeys(INJECTORS, MARKETS)
    assert synthetic.error_recall >= 0.95, synthetic.missed
    assert min(synthetic.caught.values()) >= MARKETS - 1, synthetic.missed


def test_clean_markets_raise_no_alarm(synthetic: Figures) -> None:
    assert synthetic.clean == 4 * MARKETS
    assert synthetic.alarmed == 0, synthetic.alarms


def test_clean_months_raise_no_alarm_and_what_can_be_found_in_them_is(tmp_path: Path) -> None:
    score = Score()
    for seed in EVALUATION_SEEDS[:2]:
        partitions = monthly_partitions(seed, tmp_path)
        judge_clean(score, partitions, tmp_path)
        inject(score, partitions[1], (seed,), tmp_path, ["row_drop", "date_gap", "level_shift", "hundredfold"])
    assert (score.clean, score.alarmed) == (8, 0), score.alarms
    assert score.caught == score.injected, score.missed


def test_faults_in_real_prices_are_found_and_the_clean_ones_raise_no_alarm(shared_data: Path, tmp_path: Path) -> None:
    if not (shared_data / FILE).exists():
        pytest.skip(f"{shared_data / FILE} is not here")
    real = Figures.of(score_real(shared_data, tmp_path, rounds=1, seed=EVALUATION_SEEDS[0], years=4))
    assert set(real.injected) == set(INJECTORS)
    assert real.error_recall >= 0.95, real.missed
    assert real.clean > 50
    assert real.alarmed == 0, real.alarms
