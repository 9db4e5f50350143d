"""The Fama-French factors, from Kenneth R. French's data library.

The site publishes percent; everything here is stored as decimals. Missing is -99.99 or -999 on the site, null here.
History is restated between CRSP vintages, so two versions of these tables differ far back, by design of the source.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.model import Column, Dataset, KenFrenchFile, KenFrenchSite, Partitioning, Table

_DATE: Final = Column("date", "date", "first column", "Trading day.", nullable=False)


def _factor(name: str, source: str, description: str, max_null_share: float = 1.0) -> Column:
    return Column(name, "float64", source, description, unit="decimal", max_null_share=max_null_share)


FF_FACTORS_DAILY: Final = Table(
    name="ff_factors_daily",
    dataset="fama_french",
    title="Fama-French factors, daily",
    description=(
        "Market, size, value, momentum, profitability and investment factors and the one-month bill rate. "
        "`smb` belongs to the three-factor model and `smb_ff5` to the five-factor model: they are different series."
    ),
    columns=(
        _DATE,
        _factor("mktrf", "3-factor file: Mkt-RF", "Market return in excess of the bill rate.", 0.01),
        _factor("smb", "3-factor file: SMB", "Small minus big, three-factor model.", 0.01),
        _factor("hml", "3-factor file: HML", "High minus low book-to-market.", 0.01),
        _factor("rf", "3-factor file: RF", "One-month Treasury bill return for the day; can be negative.", 0.01),
        _factor(
            "umd",
            "momentum file: Mom",
            "Up minus down (momentum); begins later in 1926 than the market.",
            0.05,
        ),
        _factor("smb_ff5", "5-factor file: SMB", "Small minus big, five-factor model; begins in 1963."),
        _factor("rmw", "5-factor file: RMW", "Robust minus weak profitability; begins in 1963."),
        _factor("cma", "5-factor file: CMA", "Conservative minus aggressive investment; begins in 1963."),
    ),
    key=("date",),
    date_column="date",
    partitioning=Partitioning.WHOLE,
    origin=KenFrenchSite(
        files=(
            KenFrenchFile(
                "F-F_Research_Data_Factors_daily_CSV.zip",
                {"Mkt-RF": "mktrf", "SMB": "smb", "HML": "hml", "RF": "rf"},
            ),
            KenFrenchFile("F-F_Momentum_Factor_daily_CSV.zip", {"Mom": "umd"}),
            KenFrenchFile(
                "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip",
                {"SMB": "smb_ff5", "RMW": "rmw", "CMA": "cma"},
                repeats={"Mkt-RF": "mktrf", "HML": "hml", "RF": "rf"},
            ),
        )
    ),
    calendar="XNYS",
    first_date=dt.date(1926, 7, 1),
)

FAMA_FRENCH: Final = Dataset(
    name="fama_french",
    title="Fama-French data library",
    licence="Numbers by Eugene F. Fama and Kenneth R. French; cite the data library, do not redistribute.",
    tables=(FF_FACTORS_DAILY,),
)
