"""Which columns of a table are what in a series of prices: the roles by which relations between columns are known."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Series:
    """The columns of a table of prices by role; a role that the table has no column for is None.

    `entity` and `date` are the key, `date` last. Conventions (CRSP's, which others are to be mapped onto):

    - `price` is positive, whether of a trade or a midpoint; a sign is taken off before relations are looked at.
    - `factor` is the factor of the day: shares after a split per share before it, 1 on other days.
      `cumulative_factor` is that of all splits still to come; yesterday's divided by today's is the factor of the day.
      A table may have both; where the factor of the day is missing the other one says it.
    - `price_return` is ``price * factor / previous price - 1``, `total_return` the same with `dividend` and
      `distribution` (ordinary and other cash, per share) added to the price.
    - `market_cap` is ``price * shares``, both in the units of the table.
    - `leaving` is a text that is ``Y`` on the row of a delisting, whose price and return follow rules of their own.
    """

    entity: str
    date: str
    price: str
    total_return: str | None = None
    price_return: str | None = None
    previous_price: str | None = None
    dividend: str | None = None
    distribution: str | None = None
    factor: str | None = None
    cumulative_factor: str | None = None
    volume: str | None = None
    high: str | None = None
    low: str | None = None
    opening: str | None = None
    closing: str | None = None
    bid: str | None = None
    ask: str | None = None
    shares: str | None = None
    market_cap: str | None = None
    leaving: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns with a role, each once."""
        named = (getattr(self, each.name) for each in fields(self))
        return tuple(dict.fromkeys(name for name in named if name is not None))
