"""Short ways to declare the commonest rules, for several columns at once."""

from __future__ import annotations

from data_platform.catalog.rules import HasLength, InOrder, Matches, OneOf, Severity, Within


def at_least(low: float, *columns: str, reason: str, severity: Severity = Severity.ERROR) -> tuple[Within, ...]:
    """No value of these columns lies below."""
    return tuple(Within(column=column, low=low, reason=reason, severity=severity) for column in columns)


def between(
    low: float, high: float, *columns: str, reason: str, severity: Severity = Severity.ERROR
) -> tuple[Within, ...]:
    """Values of these columns lie between, bounds included."""
    return tuple(Within(column=column, low=low, high=high, reason=reason, severity=severity) for column in columns)


def smaller_than(size: float, *columns: str, reason: str) -> tuple[Within, ...]:
    """Values of these columns are smaller than that, whatever their sign."""
    return tuple(
        Within(column=column, low=-size, high=size, open_low=True, open_high=True, reason=reason) for column in columns
    )


def codes(column: str, *values: str, reason: str, severity: Severity = Severity.WARNING) -> OneOf:
    """A column holds one of these codes; sources add codes, so another one is a warning unless said otherwise."""
    return OneOf(column=column, values=values, reason=reason, severity=severity)


def form(column: str, pattern: str, *, reason: str, severity: Severity = Severity.WARNING) -> Matches:
    """Texts of a column have this form, from their beginning to their end."""
    return Matches(column=column, pattern=f"^{pattern}$", reason=reason, severity=severity)


def length(shortest: int, longest: int, *columns: str, reason: str) -> tuple[HasLength, ...]:
    """Texts of these columns have so many characters; others are a warning."""
    return tuple(
        HasLength(column=column, shortest=shortest, longest=longest, reason=reason, severity=Severity.WARNING)
        for column in columns
    )


def in_order(*columns: str, reason: str, severity: Severity = Severity.WARNING) -> InOrder:
    """No column exceeds one after it in the same row."""
    return InOrder(columns=columns, reason=reason, severity=severity)
