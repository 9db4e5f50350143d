"""Counting: injected faults that are found under their own name, and clean partitions that raise an alarm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.quality_faults import columns, prices, rows
from benchmarks.quality_faults.injected import Injector
from benchmarks.quality_faults.partitions import Partition, judged
from benchmarks.quality_faults.severities import WARNINGS
from data_platform.catalog import Series
from data_platform.quality.anomalies import Anomaly, Severity

INJECTORS: Final[Mapping[str, Injector]] = {
    "row_drop": rows.row_drop,
    "null_spike": rows.null_spike,
    "date_gap": rows.date_gap,
    "level_shift": prices.level_shift,
    "hundredfold": prices.hundredfold,
    "doubled_dividend": prices.doubled_dividend,
    "unadjusted_split": prices.unadjusted_split,
    "stale_price": prices.stale_price,
    "duplicated_day": rows.duplicated_day,
    "swapped_columns": columns.swapped_columns,
    "sign_flip": columns.sign_flip,
    "truncated_universe": rows.truncated_universe,
}


@dataclass(slots=True)
class Score:
    """Counts of one kind of partition. `seconds` are those of every judgement."""

    injected: Counter[str] = field(default_factory=Counter[str])
    caught: Counter[str] = field(default_factory=Counter[str])
    missed: list[str] = field(default_factory=list[str])
    clean: int = 0
    alarmed: int = 0
    alarms: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])

    def recall(self, fault: str) -> float | None:
        """Caught of those injected; None where none could be."""
        return self.caught[fault] / self.injected[fault] if self.injected[fault] else None

    @property
    def error_recall(self) -> float:
        """Caught of those injected, over all faults that are errors."""
        errors = [fault for fault in INJECTORS if fault not in WARNINGS]
        return sum(self.caught[each] for each in errors) / max(sum(self.injected[each] for each in errors), 1)

    @property
    def alarms_per_thousand(self) -> float:
        """Clean partitions with any anomaly, of a thousand."""
        return 1000 * self.alarmed / max(self.clean, 1)


def judge_clean(score: Score, partitions: Iterable[Partition], folder: Path) -> None:
    """Judge clean partitions as they are, by turns as new ones and as published before."""
    for at, partition in enumerate(partitions):
        history = partition.known if at % 2 else partition.new
        anomalies, seconds = judged(partition, partition.frame, history, folder)
        score.seconds.append(seconds)
        score.clean += 1
        if anomalies:
            score.alarmed += 1
            score.alarms += [f"{partition.label}: {each.metric}: {each.message}" for each in anomalies]


def inject(score: Score, partition: Partition, seed: Sequence[int], folder: Path, faults: Iterable[str]) -> None:
    """Put each fault into the partition, one at a time, and see whether it is found."""
    for fault in faults:
        rng = np.random.default_rng([*seed, list(INJECTORS).index(fault)])
        wrong = INJECTORS[fault](partition.frame, _series(partition), rng)
        if wrong is None:
            continue
        anomalies, seconds = judged(partition, wrong.frame, partition.known, folder)
        score.seconds.append(seconds)
        score.injected[fault] += 1
        if _is_found(fault, wrong.named, anomalies):
            score.caught[fault] += 1
        else:
            others = ", ".join(sorted({each.metric for each in anomalies})) or "nothing"
            score.missed.append(f"{partition.label}: {fault} ({', '.join(wrong.named[:2])}), said was {others}")


def _is_found(fault: str, named: Sequence[str], anomalies: Iterable[Anomaly]) -> bool:
    """An anomaly of that name, as grave as it must be, that leads to one of the places where the fault is."""
    severity = Severity.WARNING if fault in WARNINGS else Severity.ERROR
    return any(
        each.metric == fault
        and each.severity is severity
        and (not named or any(name in key for name in named for key in each.keys))
        for each in anomalies
    )


def _series(partition: Partition) -> Series:
    if partition.table.series is None:
        raise AssertionError(f"{partition.table.name} declares no series")
    return partition.table.series
