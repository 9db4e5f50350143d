"""What a validator says: one verdict with the figures behind it, never a licensed value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from data_platform.catalog.rules import Severity

SHOWN_KEYS: Final = 5
"""Keys that a finding names at most."""

_SHOWN_FINDINGS: Final = 3


class ValidationType(StrEnum):
    """The validators by name; each is an asset check too."""

    ROW_COUNT = "row_count"
    NULL_PCT = "null_pct"
    SCHEMA = "schema"
    DATE_CONTINUITY = "date_continuity"
    CONTRACT = "contract"
    CHECKSUM = "checksum"
    ANOMALY = "anomaly"


class Status(StrEnum):
    """A failed check keeps a partition from being published; a warning does not."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that rows of a partition break.

    `count` is how many, `share` which part of all (0 to 1). `keys` are at most five of them as text, such as
    ``permno 10001, date 2023-01-03``: enough to look them up, and never a value. `reason` says why the rule holds.
    """

    column: str
    rule: str
    severity: Severity
    count: int
    share: float
    keys: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        """The finding as a sentence; a finding about a whole column counts no rows."""
        if not self.count:
            return f"{self.column} is not {self.rule}"
        rows = f"{self.count:,} row{'' if self.count == 1 else 's'} ({shown_share(self.share)})"
        return f"{self.column}: {rows} not {self.rule}" + (f", at {'; '.join(self.keys)}" if self.keys else "")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One validator's verdict on one partition; `expected` and `actual` are counts, shares, dates or names.

    `findings` are what it found in detail, the worst first; `message` is the same in words, of the worst few.
    """

    validation_type: ValidationType
    status: Status
    expected: str
    actual: str
    message: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What identifies the content of a Parquet file: SHA-256 in hexadecimal, bytes, and rows by its footer."""

    sha256: str
    bytes: int
    rows: int

    def __str__(self) -> str:
        """In a few words, the hash cut short."""
        return f"{self.sha256[:12]}, {self.bytes:,} bytes, {self.rows:,} rows"


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Errors before warnings, and of each kind first what most rows break."""
    return tuple(sorted(findings, key=lambda f: (f.severity is not Severity.ERROR, -f.count, f.column, f.rule)))


def in_words(findings: tuple[Finding, ...]) -> str:
    """The first few findings as one text of bounded length; of the others how many there are."""
    more = len(findings) - _SHOWN_FINDINGS
    shown = [str(finding) for finding in findings[:_SHOWN_FINDINGS]]
    return " | ".join(shown) + (f" | and {more} findings more" if more > 0 else "")


def shown_share(share: float) -> str:
    """A share in percent, to a tenth; a smaller one is told from nothing."""
    return "below 0.1%" if 0 < share < 0.001 else f"{share:.1%}"  # noqa: PLR2004 - what one digit can show


def worst(results: tuple[CheckResult, ...]) -> Status:
    """The gravest status among results; passed when there are none."""
    order = (Status.FAILED, Status.WARNING, Status.PASSED)
    return next((status for status in order if any(r.status is status for r in results)), Status.PASSED)
