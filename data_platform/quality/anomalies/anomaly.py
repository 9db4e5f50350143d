"""What a detector says: which kind of fault, how grave, how much of it, and where to look. Never a licensed value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from data_platform.catalog.rules import Severity

SHOWN: Final = 5
"""So many keys an anomaly names at most."""


class Metric(StrEnum):
    """The twelve kinds of fault."""

    ROW_DROP = "row_drop"
    NULL_SPIKE = "null_spike"
    DATE_GAP = "date_gap"
    LEVEL_SHIFT = "level_shift"
    HUNDREDFOLD = "hundredfold"
    DOUBLED_DIVIDEND = "doubled_dividend"
    UNADJUSTED_SPLIT = "unadjusted_split"
    STALE_PRICE = "stale_price"
    DUPLICATED_DAY = "duplicated_day"
    SWAPPED_COLUMNS = "swapped_columns"
    SIGN_FLIP = "sign_flip"
    TRUNCATED_UNIVERSE = "truncated_universe"


GRADES: Final[Mapping[Metric, Severity]] = {
    metric: Severity.WARNING if metric is Metric.STALE_PRICE else Severity.ERROR for metric in Metric
}
"""A price that stands still can be the market's doing, a security nobody trades; the others are never."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One finding about one partition.

    `current_value` and `expected_value` are counts, shares or ratios, `deviation_pct` how far the one is from the other
    in percent of the expected; each None where it has no meaning. `keys` are up to five places, such as
    ``permno 10001, date 2023-01-03``.
    """

    metric: str
    severity: Severity
    message: str
    current_value: float | None = None
    expected_value: float | None = None
    deviation_pct: float | None = None
    keys: tuple[str, ...] = ()


def found(
    metric: Metric,
    message: str,
    *,
    current: float | None = None,
    expected: float | None = None,
    keys: Sequence[str] = (),
    severity: Severity | None = None,
) -> Anomaly:
    """An anomaly of that kind, as grave as the kind is unless said otherwise; of more keys than five the first five."""
    deviation = None if current is None or not expected else round(100 * (current - expected) / abs(expected), 2)
    return Anomaly(
        metric=metric.value,
        severity=severity or GRADES[metric],
        message=message,
        current_value=current,
        expected_value=expected,
        deviation_pct=deviation,
        keys=tuple(keys[:SHOWN]),
    )


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 date``, ``1,200 dates``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
