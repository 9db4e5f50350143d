"""The synthetic market itself: who is listed, what happened to it, and at which prices, as arrays.

Here belongs what several relations must agree on: securities and their histories (`universe`, `eras`, `leaving`),
prices, returns and distributions (`simulation`), quotes and volume (`trading`) and months (`months`). How a relation
spells them does not belong here.
"""

from __future__ import annotations

from data_platform.sources.demo.market.simulation import Market, sessions_of, simulate

__all__ = ["Market", "sessions_of", "simulate"]
