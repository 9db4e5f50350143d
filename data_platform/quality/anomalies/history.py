"""What a partition was before and what its neighbours are, and the robust rule by which a number is unusual."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from data_platform.quality.anomalies.statistics import Statistics

ENOUGH_VERSIONS: Final = 5
ENOUGH_NEIGHBOURS: Final = 3
DEVIATIONS: Final = 6.0
_CONSISTENT: Final = 1.4826
"""Times the median absolute deviation is the standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class History:
    """The versions of this partition and the latest versions of neighbouring partitions, both oldest first."""

    versions: tuple[Statistics, ...] = ()
    neighbours: tuple[Statistics, ...] = ()

    @property
    def previous(self) -> Statistics | None:
        """The version before this one."""
        return self.versions[-1] if self.versions else None

    @property
    def own(self) -> bool:
        """Whether the partition has versions enough to be judged by them alone."""
        return len(self.versions) >= ENOUGH_VERSIONS

    def past(self, figure: Callable[[Statistics], float | None]) -> tuple[float, ...]:
        """The figure in the last five versions; with fewer, in the neighbours, if they are three or more; else none."""
        pool = self.versions[-ENOUGH_VERSIONS:] if self.own else self.neighbours
        values = tuple(value for each in pool if (value := figure(each)) is not None and math.isfinite(value))
        return values if len(values) >= (ENOUGH_VERSIONS if self.own else ENOUGH_NEIGHBOURS) else ()


NO_HISTORY: Final = History()


def unusual(value: float | None, past: Sequence[float], *, floor: float) -> float | None:
    """What was to be expected, when the value is unusual; None when it is not, or nothing is known of the past.

    Expected is the median of the past; unusual is what lies farther from it than `floor` and than six robust standard
    deviations (the median absolute deviation times 1.4826).
    """
    if value is None or not past or not math.isfinite(value):
        return None
    middle = median(past)
    spread = _CONSISTENT * median(abs(each - middle) for each in past)
    return middle if abs(value - middle) > max(floor, DEVIATIONS * spread) else None
