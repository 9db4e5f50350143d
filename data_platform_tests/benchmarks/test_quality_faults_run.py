"""The benchmark of injected faults as a command: what it writes and prints, and when a target counts as missed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.quality_faults.__main__ import run
from benchmarks.quality_faults.figures import Figures
from benchmarks.quality_faults.scoring import INJECTORS, Score


def test_a_run_judges_every_fault_and_writes_what_it_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results" / "faults.json"
    run(markets=1, rounds=1, data=tmp_path / "nowhere", output=output, tuning=True)
    document = json.loads(output.read_text())
    assert document["synthetic"]["injected"] == dict.fromkeys(INJECTORS, 1)
    assert document["synthetic"]["clean"] == 4
    assert document["real"] is None
    printed = capsys.readouterr()
    assert "truncated_universe" in printed.out
    assert "no figures of real prices" in printed.err


def test_a_fault_found_too_seldom_is_named_unless_it_is_a_warning() -> None:
    score = Score(
        injected=Counter(hundredfold=20, level_shift=20, stale_price=20),
        caught=Counter(hundredfold=19, level_shift=18, stale_price=0),
        clean=2000,
        alarmed=1,
    )
    figures = Figures.of(score)
    assert figures.below_target() == ["level_shift"]
    assert figures.alarms_per_thousand == 0.5
    assert score.error_recall == 37 / 40
