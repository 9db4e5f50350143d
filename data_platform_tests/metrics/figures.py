"""What a home has counted, as samples by name and labels."""

from __future__ import annotations

from pathlib import Path

from data_platform.metrics.collecting import Counted

Figures = dict[tuple[str, ...], float]


def figures(home: Path) -> Figures:
    """Every sample: its name and the values of its labels, in order."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in Counted(home).collect()
        for sample in family.samples
    }


def risen(before: Figures, after: Figures) -> Figures:
    """What has changed, and by how much."""
    return {
        key: round(value - before.get(key, 0.0), 6) for key, value in after.items() if value != before.get(key, 0.0)
    }
