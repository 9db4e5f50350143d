"""What is asked of the explorer, and the page that comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from data_platform.errors import UsageError
from data_platform.governance.audited import Question
from data_platform.governance.dto import QueryResultDTO
from data_platform.governance.engine.engine import check_size
from data_platform.governance.engine.parameters import Parameters, encode
from data_platform.governance.permissions import User
from data_platform.records.query_audit import Kind
from data_platform.warehouse.as_of import AsOf, parse_as_of

MAX_TIMEOUT_SECONDS: Final = 30.0
EXPORT_TIMEOUT_SECONDS: Final = 60.0
MAX_PAGE_ROWS: Final = 10_000
MAX_PREVIEW_ROWS: Final = 1_000
KEPT_ROWS: Final = 100_000
"""How many rows of a result are kept for further pages, and how many an export may have."""
LAST_PAGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One page: its rows, and what is known about the whole."""

    table: pa.Table = field(repr=False)
    dto: QueryResultDTO


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement over one dataset, its parameters, and as of when."""

    dataset: str
    sql: str = field(repr=False)
    parameters: Parameters | None = field(default=None, repr=False)
    as_of: AsOf | int | None = None
    client_ip: str | None = None

    @property
    def encoded(self) -> Mapping[str, list[str]]:
        """The parameters as they travel and are kept.

        Raises:
            UsageError: naming the one that can't be bound.
        """
        return encode(self.parameters)

    def checked(self) -> Asked:
        """The same, once it is known that it can be kept.

        Raises:
            UsageError: text that is too long, or a parameter that can't be bound.
        """
        check_size(self.sql)
        encode(self.parameters)
        return self

    def question(self, user: User, kind: Kind | None = None) -> Question:
        """The same as the audit has it."""
        return Question(user.user_id, self.dataset, self.sql, self.client_ip, kind, self.encoded)

    @property
    def as_of_text(self) -> str | None:
        """As of when, as `parse_as_of` understands it."""
        return as_of_text(self.as_of)


def as_of_text(as_of: AsOf | int | None) -> str | None:
    """Write a version, a tag or a moment so that `parse_as_of` understands it."""
    match as_of:
        case None:
            return None
        case int():
            return str(as_of)
        case AsOf(moment=dt.datetime() as moment):
            return moment.isoformat()
        case _:
            return str(as_of.version) if as_of.tag is None else as_of.tag


def as_of_from(text: str | None) -> AsOf | None:
    """Read what `as_of_text` wrote."""
    return None if text is None else parse_as_of(text)


def within(what: str, value: int, largest: int) -> None:
    """Refuse a number outside 1 to `largest`.

    Raises:
        UsageError: naming what it is.
    """
    if not 1 <= value <= largest:
        raise UsageError(f"The {what} must be between 1 and {largest:,}, not {value:,}.")


def check_timeout(seconds: float) -> None:
    """Refuse a time limit that no query may have.

    Raises:
        UsageError: for one that is not positive, or above 30 seconds.
    """
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise UsageError(f"A query may take up to {MAX_TIMEOUT_SECONDS:g} seconds, not {seconds:g}.")
