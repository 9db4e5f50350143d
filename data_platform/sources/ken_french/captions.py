"""Which of a file's tables is which, told from its caption by rules and not from a list of captions that were seen.

Captions differ between files and years: with a hyphen or without, "Value Weight" or "Value Weighted", the frequency
behind a dash or not at all, "Average Firm Size" or "Average Market Cap". Frequencies are told by keys, not captions.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Measure(StrEnum):
    """What a table of portfolios holds, as far as we store it."""

    VALUE_WEIGHTED = "value-weighted returns"
    EQUAL_WEIGHTED = "equal-weighted returns"
    FIRMS = "the number of firms"
    SIZE = "average firm size"


_OTHER: Final = re.compile(r"\b(prior|be me|be to me|book to market)\b")
"""Returns of the past, by which portfolios were formed, and ratios; some of them are weighted too."""

_BETWEEN: Final = r"(?: average| portfolio| industry| daily| monthly)*"

_PATTERNS: Final = {
    Measure.VALUE_WEIGHTED: re.compile(rf"(?<!\band )\bvalue weight(?:ed)?{_BETWEEN} returns?\b"),
    Measure.EQUAL_WEIGHTED: re.compile(rf"(?<!\band )\bequal(?:ly)? weight(?:ed)?{_BETWEEN} returns?\b"),
    Measure.FIRMS: re.compile(r"\bnumber of (?:firms|stocks|companies)\b"),
    Measure.SIZE: re.compile(r"\baverage (?:of )?(?:firm size|market (?:cap(?:itali[sz]ations?)?|equity))\b"),
}
"""Over a caption's words. "Value and equal weighted returns" speaks of a whole file, and so is neither."""


def measure_of(caption: str) -> Measure | None:
    """What a table with this caption holds; None for any other than the four that we know, and for annual ones.

    A caption may follow a remark without a blank line between them, so the last description in it counts.
    """
    words = " ".join(re.findall(r"[a-z0-9]+", caption.casefold()))
    if _OTHER.search(words):
        return None
    found = [(match.end(), measure) for measure, rule in _PATTERNS.items() for match in rule.finditer(words)]
    if not found:
        return None
    end, measure = max(found)
    return None if "annual" in words[end:].split() else measure
