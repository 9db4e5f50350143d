"""The industries that invented companies are in, under the codes of three classifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sector:
    """NAICS is text of six digits, GICS the eight-digit sub-industry, ICB the six-digit industry as text."""

    naics: str
    gics: str
    icb: str


SECTORS: Final = {
    1311: Sector("211120", "10102020", "601010"),
    2834: Sector("325412", "35202010", "201030"),
    2911: Sector("324110", "10102030", "601010"),
    3571: Sector("334111", "45202030", "101020"),
    3674: Sector("334413", "45301020", "101020"),
    3711: Sector("336110", "25102010", "401010"),
    4813: Sector("517111", "50101020", "151020"),
    4911: Sector("221112", "55101010", "651010"),
    5311: Sector("455110", "25503030", "404010"),
    6021: Sector("522110", "40101010", "301010"),
    6311: Sector("524113", "40301020", "303010"),
    7372: Sector("513210", "45103010", "101010"),
    8062: Sector("622110", "35102020", "201010"),
}
"""By SIC code."""

FINANCIAL: Final = (6021, 6311)
