"""Every error a user can meet, with the exit code that a script sees.

An error says what happened, where, and what to do next, in one line each; it never carries a licensed value, a
password or a path that the reader may not know. Anything that is not a `PlatformError` is a bug of ours.
"""

from __future__ import annotations


class PlatformError(Exception):
    """Something went wrong that we can explain; `hint` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(PlatformError):
    """The request itself makes no sense: an unknown name, a malformed value, SQL that does not parse."""

    exit_code = 2


class NotFoundError(UsageError):
    """There is nothing of that name or number, or it is somebody else's: both are answered alike."""


class ConfigurationError(PlatformError):
    """A setting is missing or wrong."""

    exit_code = 2


class SourceError(PlatformError):
    """The source could not be reached, refused us, or answered with something that is not its data.

    `transient` says that trying again may help by itself: the line was cut, the server is restarting, or busy.
    """

    def __init__(self, message: str, *, hint: str | None = None, transient: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient


class CredentialsError(SourceError):
    """The source does not let us in with the user and password that are set; each further try may lock the account."""


class DatabaseUnavailableError(PlatformError):
    """The operational database is away; data stays closed until it is back."""


class NotPermittedError(PlatformError):
    """The caller lacks a permission; the message names the one that is needed."""

    exit_code = 3


class RateLimitedError(PlatformError):
    """Too many requests; `retry_after_seconds` says how long to wait."""

    exit_code = 4

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueryTimeoutError(PlatformError):
    """A query ran into its time limit and was stopped."""

    exit_code = 5


class QueryCancelledError(PlatformError):
    """A query was stopped by somebody; the message gives their reason."""


class AlertDeliveryError(PlatformError):
    """A channel did not take a message, for the `cause` given; no part of its address is in either."""

    def __init__(self, message: str, *, cause: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.cause = cause


class LockBusyError(PlatformError):
    """Another living writer holds the table's lock."""

    exit_code = 7


class DataQualityError(PlatformError):
    """Parent of everything that says: these bytes are not fit to be published or read."""

    exit_code = 6


class SyncValidationError(DataQualityError):
    """A partition failed validation and went to quarantine; the last good version stays."""


class SchemaError(DataQualityError):
    """Columns are missing, renamed or of another type than the catalog declares."""


class ChecksumMismatchError(DataQualityError):
    """Stored bytes are not the bytes that were published."""


class QuarantineError(DataQualityError):
    """A quarantine entry is missing, unreadable or not what was asked for."""


class LockNotHeldError(DataQualityError):
    """A publish was tried without holding the table's lock."""

    exit_code = 7


class Fenced(LockNotHeldError):  # noqa: N818 - the name is part of the platform's vocabulary
    """The lock was lost, or another version was published on the same base: nothing was published."""


class DiskSpaceError(DataQualityError):
    """Not enough room to write safely; nothing was published."""

    exit_code = 1
