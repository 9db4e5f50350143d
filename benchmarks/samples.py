"""Figures: medians of repeated measurements, and ratios within the same run."""

from __future__ import annotations

from collections import defaultdict
from statistics import median


class Samples:
    """Seconds per operation and store, in the order in which they were measured."""

    def __init__(self) -> None:
        self._seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, operation: str, store: str, seconds: float) -> None:
        """Note one measurement."""
        self._seconds[operation][store].append(seconds)

    def ratio(self, operation: str, store: str, reference: str) -> float | None:
        """The median over the rounds of `store` divided by `reference`.

        Each round measured both within seconds of each other, so a slow minute of the machine weighs on both.
        """
        pairs = zip(self._seconds[operation].get(store, []), self._seconds[operation].get(reference, []), strict=False)
        quotients = [mine / theirs for mine, theirs in pairs]
        return median(quotients) if quotients else None

    def medians(self) -> dict[str, dict[str, float]]:
        """The median of every operation and store that was measured."""
        return {
            operation: {store: round(median(values), 4) for store, values in stores.items()}
            for operation, stores in self._seconds.items()
        }

    def document(self) -> dict[str, dict[str, list[float]]]:
        """Every measurement, for the JSON."""
        return {
            operation: {store: [round(value, 6) for value in values] for store, values in stores.items()}
            for operation, stores in self._seconds.items()
        }
