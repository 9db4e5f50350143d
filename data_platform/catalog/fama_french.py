"""The Fama-French factors and industry portfolios, from Kenneth R. French's data library.

The site publishes returns in percent; here they are stored as decimals. Missing is -99.99 or -999 on the site, here it
is null. History is restated between CRSP vintages, so two versions of these tables differ far back, by design of
the source. WRDS keeps a copy of the factors, in decimals, which stands in when the site is not reachable.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.model import (
    Column,
    Dataset,
    KenFrenchFile,
    KenFrenchPortfolios,
    KenFrenchSite,
    Partitioning,
    SiteFrequency,
    Table,
    WrdsQuery,
)
from data_platform.catalog.rules import OnePerEntity, Rule, Severity
from data_platform.catalog.ruling import at_least, between, codes, smaller_than

_DATE: Final = Column("date", "date", "first column", "Trading day.", nullable=False)
_MONTH: Final = Column("date", "date", "first column", "Last calendar day of the month.", nullable=False)
_FIRST_DATES: Final[dict[SiteFrequency, dt.date]] = {"daily": dt.date(1926, 7, 1), "monthly": dt.date(1926, 7, 31)}
_CALENDARS: Final[dict[SiteFrequency, str]] = {"daily": "XNYS", "monthly": "month_end"}
_BILL_RATES_BELOW: Final[dict[SiteFrequency, float]] = {"daily": 0.002, "monthly": 0.02}
"""The bill never gave more than 0.00061 in a day and 0.0135 in a month, in the early 1980s."""


def _factor(name: str, source: str, description: str, max_null_share: float = 1.0) -> Column:
    return Column(name, "float64", source, description, unit="decimal", max_null_share=max_null_share)


def _factors(frequency: SiteFrequency, date: Column, rf: str) -> Table:
    """The factors of one frequency; the two tables differ in their files' names and in what a date is."""
    suffix = "_daily" if frequency == "daily" else ""
    return Table(
        name=f"ff_factors_{frequency}",
        dataset="fama_french",
        title=f"Fama-French factors, {frequency}",
        description=(
            "Market, size, value, momentum, profitability and investment factors and the one-month bill rate. "
            "`smb` belongs to the three-factor model and `smb_ff5` to the five-factor model: they are different series."
        ),
        columns=(
            date,
            _factor("mktrf", "3-factor file: Mkt-RF", "Market return in excess of the bill rate.", 0.01),
            _factor("smb", "3-factor file: SMB", "Small minus big, three-factor model.", 0.01),
            _factor("hml", "3-factor file: HML", "High minus low book-to-market.", 0.01),
            _factor("rf", "3-factor file: RF", rf, 0.01),
            _factor(
                "umd",
                "momentum file: Mom",
                "Up minus down (momentum); begins later than the market, in 1926 (daily) or 1927 (monthly).",
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
                    f"F-F_Research_Data_Factors{suffix}_CSV.zip",
                    {"Mkt-RF": "mktrf", "SMB": "smb", "HML": "hml", "RF": "rf"},
                ),
                KenFrenchFile(f"F-F_Momentum_Factor{suffix}_CSV.zip", {"Mom": "umd"}),
                KenFrenchFile(
                    f"F-F_Research_Data_5_Factors_2x3{suffix}_CSV.zip",
                    {"SMB": "smb_ff5", "RMW": "rmw", "CMA": "cma"},
                    repeats={"Mkt-RF": "mktrf", "HML": "hml", "RF": "rf"},
                ),
            ),
            frequency=frequency,
            wrds=WrdsQuery(relation=f"ff.factors_{frequency}", sql=f"fama_french/ff_factors_{frequency}.sql"),
        ),
        calendar=_CALENDARS[frequency],
        first_date=_FIRST_DATES[frequency],
        rules=(
            *smaller_than(
                1,
                *("mktrf", "smb", "hml", "umd", "smb_ff5", "rmw", "cma"),
                reason="A factor is a difference of returns in decimals; a series in percent exceeds 1 somewhere.",
            ),
            *smaller_than(
                _BILL_RATES_BELOW[frequency],
                "rf",
                reason="In percent the bill rate would exceed it; it can be negative.",
            ),
        ),
    )


def _industries(count: int, max_null_share: float) -> tuple[Table, Table]:
    """The daily and the monthly table of a number of industries; only monthly files know firms and their size."""
    returns = (
        Column("industry", "str", "header", "The industry's short name, as the site spells it.", nullable=False),
        Column("weighting", "str", "caption", "vw: value-weighted, ew: equal-weighted.", nullable=False),
        Column(
            "ret",
            "float64",
            "tables of value- and equal-weighted returns",
            "Return of the portfolio; null while the industry has no firms.",
            "decimal",
            max_null_share=max_null_share,
        ),
    )
    firms = (
        Column(
            "n_firms",
            "int64",
            "table of the number of firms",
            "Firms in the industry; the same on both weightings' rows.",
            "firms",
            max_null_share=max_null_share,
        ),
        Column(
            "avg_firm_size",
            "float64",
            "table of the average firm size",
            "Average market capitalisation of the industry's firms in million USD; the same on both weightings' rows.",
            "million USD",
            max_null_share=max_null_share,
        ),
    )
    return (
        _industry_table(count, "daily", (_DATE, *returns)),
        _industry_table(count, "monthly", (_MONTH, *returns, *firms)),
    )


def _industry_table(count: int, frequency: SiteFrequency, columns: tuple[Column, ...]) -> Table:
    suffix = "_daily" if frequency == "daily" else ""
    return Table(
        name=f"ff_industries_{count}_{frequency}",
        dataset="fama_french",
        title=f"{count} industry portfolios, {frequency}",
        description=(
            f"Returns of {count} industry portfolios, value- and equal-weighted: one row for each date, industry and "
            "weighting. Filter on `weighting`, or every industry counts twice."
        ),
        columns=columns,
        key=("date", "industry", "weighting"),
        date_column="date",
        partitioning=Partitioning.WHOLE,
        origin=KenFrenchPortfolios(f"{count}_Industry_Portfolios{suffix}_CSV.zip", count, frequency),
        calendar=_CALENDARS[frequency],
        first_date=_FIRST_DATES[frequency],
        rules=_PORTFOLIO_RULES + (_FIRM_RULES if frequency == "monthly" else ()),
    )


_PORTFOLIO_RULES: Final[tuple[Rule, ...]] = (
    *between(-1, 10, "ret", reason="No portfolio loses more than everything; a series in percent falls below -1."),
    codes("weighting", "vw", "ew", reason="These two weightings are stored.", severity=Severity.ERROR),
)
_FIRM_RULES: Final[tuple[Rule, ...]] = (
    *at_least(0, "n_firms", "avg_firm_size", reason="Counts and sizes are not negative; -99.99 is the site's none."),
    *(
        OnePerEntity(
            column=column, entity=("date", "industry"), reason="An industry's firms are the same in either weighting."
        )
        for column in ("n_firms", "avg_firm_size")
    ),
)


FAMA_FRENCH: Final = Dataset(
    name="fama_french",
    title="Fama-French data library",
    licence="Numbers by Eugene F. Fama and Kenneth R. French; cite the data library, do not redistribute.",
    tables=(
        _factors("daily", _DATE, "One-month Treasury bill return for the day; can be negative."),
        _factors("monthly", _MONTH, "One-month Treasury bill return; can be negative."),
        # The few broad industries have firms throughout; one that goes missing from the table is noticed.
        *_industries(10, max_null_share=0.05),
        *_industries(30, max_null_share=0.03),
        # Of the narrow ones several have no firm before the 1960s (soda, guns, gold, health, software): six with
        # forty of a hundred years missing are 5 %, and some others have shorter gaps.
        *_industries(49, max_null_share=0.15),
    ),
)
