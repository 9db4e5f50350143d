"""What can come of syncing one partition: an outcome, not delivered yet, or a failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from data_platform.catalog import Table
from data_platform.errors import DataQualityError, SchemaError, SyncValidationError
from data_platform.quality import CheckResult, Status, ValidationType
from data_platform.sync.validation import Verdict
from data_platform.warehouse import FileEntry, SyncManifest


class SyncStatus(StrEnum):
    """A sync either publishes a version or finds that the newest one is current; everything else is an error."""

    PUBLISHED = "published"
    UP_TO_DATE = "up_to_date"


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """One partition's sync: the version that holds it now, its file, and how the work went.

    `seconds` is the whole sync, `extract_seconds` the part from the first row to the staged file; the latter is 0 when
    nothing was extracted. `results` are then the verdicts under which the partition was published. `progress_lines` is
    how often the extraction was said to be under way or through. `verdict` is what was thought of
    the partition, if it was judged in this sync.
    """

    status: SyncStatus
    partition: str
    manifest: SyncManifest
    file: FileEntry
    seconds: float
    extract_seconds: float
    bytes_received: int
    results: tuple[CheckResult, ...]
    warnings: tuple[str, ...]
    verdict: Verdict | None = None
    progress_lines: int = 0

    @property
    def megabytes_per_second(self) -> float:
        """Millions of bytes received per second of the extraction; 0 when nothing was extracted."""
        return self.bytes_received / 1e6 / self.extract_seconds if self.extract_seconds > 0 else 0.0

    @property
    def rows_per_second(self) -> float:
        """Rows extracted per second; 0 when nothing was extracted."""
        return self.file.rows / self.extract_seconds if self.extract_seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """A recent year that the source does not hold yet: no error, nothing to publish, nothing to quarantine."""

    partition: str


class PartitionRejected(SyncValidationError):  # noqa: N818 - the partition was, nothing went wrong in the program
    """A partition failed validation and went to quarantine; `results` are the verdicts."""

    def __init__(self, message: str, *, results: tuple[CheckResult, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.results = results


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """A partition that was not fit; the others go on. `results` are the verdicts that led to it."""

    partition: str
    error: DataQualityError
    results: tuple[CheckResult, ...]


PartitionResult = SyncOutcome | NotDelivered | SyncFailure


def unreadable(table: Table, error: SchemaError) -> CheckResult:
    """The verdict on data whose columns do not fit the table's declaration."""
    return CheckResult(
        ValidationType.SCHEMA, Status.FAILED, f"{len(table.columns)} columns", "other columns", error.message
    )
