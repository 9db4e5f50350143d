"""What a validator says: one verdict with the figures behind it, never a licensed value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ValidationType(StrEnum):
    """The validators by name; each is an asset check too."""

    ROW_COUNT = "row_count"
    NULL_PCT = "null_pct"
    SCHEMA = "schema"
    DATE_CONTINUITY = "date_continuity"
    CONTRACT = "contract"


class Status(StrEnum):
    """A failed check keeps a partition from being published; a warning does not."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One validator's verdict on one partition; `expected` and `actual` are counts, shares, dates or names."""

    validation_type: ValidationType
    status: Status
    expected: str
    actual: str
    message: str = ""


def worst(results: tuple[CheckResult, ...]) -> Status:
    """The gravest status among results; passed when there are none."""
    order = (Status.FAILED, Status.WARNING, Status.PASSED)
    return next((status for status in order if any(r.status is status for r in results)), Status.PASSED)
