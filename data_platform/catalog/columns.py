"""Short ways to declare the commonest columns. `source` is the WRDS name where it differs from ours."""

from __future__ import annotations

from data_platform.catalog.model import Column


def text(name: str, description: str, *, source: str = "", required: bool = False) -> Column:
    """A text: a code, a name, an identifier whose leading zeros count."""
    return Column(name, "str", source or name, description, nullable=not required)


def day(name: str, description: str, *, source: str = "", required: bool = False) -> Column:
    """A calendar date."""
    return Column(name, "date", source or name, description, nullable=not required)


def whole(name: str, description: str, unit: str = "", *, source: str = "", required: bool = False) -> Column:
    """A whole number of 32 bits: an identifier, a code, a count that stays below two thousand million."""
    return Column(name, "int32", source or name, description, unit, nullable=not required)


def number(name: str, description: str, unit: str, *, source: str = "", max_null_share: float = 1.0) -> Column:
    """A measured number, stored in double precision whatever decimals the source has."""
    return Column(name, "float64", source or name, description, unit, max_null_share=max_null_share)
