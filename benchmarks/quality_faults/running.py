"""A run over synthetic markets and over real prices: which partitions are judged, and which get which fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality_faults.real import real_partitions
from benchmarks.quality_faults.scoring import INJECTORS, Score, inject, judge_clean
from benchmarks.quality_faults.synthetic import market_partitions


def score_synthetic(seeds: Sequence[int], folder: Path) -> Score:
    """Every year of every market clean, and each fault once into one year of it, by turns."""
    score = Score()
    for at, seed in enumerate(seeds):
        partitions = market_partitions(seed, folder)
        judge_clean(score, partitions, folder)
        for turn, fault in enumerate(INJECTORS):
            partition = partitions[(at + turn) % len(partitions)]
            inject(score, partition, (seed,), folder, [fault])
    return score


def score_real(data: Path, folder: Path, *, rounds: int, seed: int, years: int = 99) -> Score:
    """Every year of the shares together and of each alone clean; each fault into the last years of them together."""
    score = Score()
    together, alone = real_partitions(data, folder)
    judge_clean(score, [*alone, *together], folder)
    for turn in range(rounds):
        for partition in together[-years:]:
            inject(score, partition, (seed, turn, int(partition.name)), folder, INJECTORS)
    return score
