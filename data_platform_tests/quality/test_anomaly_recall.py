"""The benchmark of injected faults in small, on a few of the markets that figures are measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality_faults.figures import Figures
from benchmarks.quality_faults.real import FILE
from benchmarks.quality_faults.running import score_real, score_synthetic
from benchmarks.quality_faults.scoring import INJECTORS
from benchmarks.quality_faults.severities import EVALUATION_SEEDS, TUNING_SEEDS, WARNINGS
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


def test_faults_in_real_prices_are_found_and_the_clean_ones_raise_no_alarm(shared_data: Path, tmp_path: Path) -> None:
    if not (shared_data / FILE).exists():
        pytest.skip(f"{shared_data / FILE} is not here")
    real = Figures.of(score_real(shared_data, tmp_path, rounds=1, seed=EVALUATION_SEEDS[0]))
    assert set(real.injected) == set(INJECTORS)
    assert real.error_recall >= 0.95, real.missed
    assert real.clean > 50
    assert real.alarmed == 0, real.alarms
