"""What securities are called and where they trade, as spans of sessions: the name history's substance."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_platform.sources.demo.market.roles import Role
from data_platform.sources.demo.market.universe import Ints, Universe

_RENAMED_AT: Final = 0.6
_MOVED_AT: Final = 0.4
_WHEN_ISSUED: Final = 5
"""Sessions that a successor trades when-issued before it trades regularly."""

_CONSONANTS: Final = string.ascii_uppercase[:23]
_WORDS: Final = ("Alder", "Basalt", "Cobalt", "Dune", "Ember", "Fjord", "Garnet", "Harbor", "Indigo", "Juniper", "Kelp")
_CODES: Final = string.digits + string.ascii_uppercase


@dataclass(frozen=True, slots=True)
class Eras:
    """Parallel arrays, one entry per span of one security, ordered by security and time.

    A span runs from session `start` until the next one of the same security; the first starts with the listing.
    """

    who: Ints
    start: Ints
    ticker: list[str]
    issuer: list[str]
    cusip: list[str]
    exchange: list[str]
    conditional: list[str]
    sessions: int

    def at(self, who: Ints, when: Ints) -> Ints:
        """Index of the span that covers each security's session."""
        keys = self.who * self.sessions + self.start
        return np.searchsorted(keys, who * self.sessions + when, side="right") - 1

    def last_of(self, count: int) -> Ints:
        """Index of each security's last span."""
        return np.searchsorted(self.who, np.arange(count), side="right") - 1


def draw_eras(rng: np.random.Generator, universe: Universe, sessions: int, opening: int) -> Eras:
    """Give every security its names: most keep them, some are renamed, move or take a dead security's ticker."""
    count = len(universe.permno)
    tickers = _tickers(rng, 2 * count)
    renamed, moved = (opening + int(share * (sessions - opening)) for share in (_RENAMED_AT, _MOVED_AT))
    rows: list[tuple[int, int, str, str, str, str, str]] = []
    for who in range(count):
        role, first = Role(int(universe.roles[who])), int(universe.first[who])
        ticker, exchange = tickers[who], universe.exchange[who]
        issuer, cusip = _issuer(universe, who, renamed=False), _cusip(universe, who, 0)
        rows.append((who, first, ticker, issuer, cusip, exchange, "NW" if role is Role.SUCCESSOR else "RW"))
        if role is Role.SUCCESSOR:
            rows.append((who, first + _WHEN_ISSUED, ticker, issuer, cusip, exchange, "RW"))
        elif role is Role.CHANGES_EXCHANGE:
            rows.append((who, moved, ticker, issuer, cusip, "N", "RW"))
        elif role in {Role.RENAMED, Role.TICKER_HEIR}:
            # The heir takes the ticker of the security before it, which left long ago.
            ticker = tickers[who - 1] if role is Role.TICKER_HEIR else tickers[count + who]
            issuer, cusip = _issuer(universe, who, renamed=True), _cusip(universe, who, 1)
            rows.append((who, renamed, ticker, issuer, cusip, exchange, "RW"))
    columns = list(zip(*rows, strict=True))
    return Eras(
        who=np.array(columns[0], dtype=np.int64),
        start=np.array(columns[1], dtype=np.int64),
        ticker=list(columns[2]),
        issuer=list(columns[3]),
        cusip=list(columns[4]),
        exchange=list(columns[5]),
        conditional=list(columns[6]),
        sessions=sessions,
    )


def check_digit(text: str) -> str:
    """The ninth character of a CUSIP, by the modulus 10 double-add-double rule of its standard (ANSI X9.6)."""
    total = 0
    for place, letter in enumerate(text):
        value = _CODES.index(letter) * (1 + place % 2)
        total += value // 10 + value % 10
    return str(-total % 10)


def _issuer(universe: Universe, who: int, *, renamed: bool) -> str:
    company = int(universe.company[who])
    word = _WORDS[(company + renamed) % len(_WORDS)]
    return f"SYNTHETIC {word.upper()} {company + 1} {'HOLDINGS' if renamed else 'CORP'}"


def _cusip(universe: Universe, who: int, change: int) -> str:
    """Issuer numbers that begin with 99 and end in four more characters are set aside for private use."""
    number, code = int(universe.company[who]), ""
    for _ in range(4):
        number, rest = divmod(number, len(_CODES))
        code = _CODES[rest] + code
    issue = 10 * (1 + change) + (int(universe.primary[who]) != who)
    return f"99{code}{issue}"


def _tickers(rng: np.random.Generator, count: int) -> list[str]:
    """Different tickers that begin with X; four letters while there are enough of them."""
    size = len(_CONSONANTS)
    letters = 3 if count <= size**3 else 4
    found: list[str] = []
    for number in rng.permutation(size**letters)[:count].tolist():
        text, rest = "", number
        for _ in range(letters):
            rest, letter = divmod(rest, size)
            text = _CONSONANTS[letter] + text
        found.append(f"X{text}")
    return found
