"""What happens to a CRSP security on a day of its own: that it is delisted, that it pays or splits."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data_platform.catalog.columns import day, number, text, whole
from data_platform.catalog.model import Partitioning, Table, WrdsQuery
from data_platform.catalog.rules import NotBefore, Severity
from data_platform.catalog.ruling import at_least, between, codes, in_order

_BEGIN: Final = dt.date(1925, 12, 31)

CRSP_DELISTINGS: Final = Table(
    name="crsp_delistings",
    dataset="crsp",
    title="CRSP delistings",
    description=(
        "One row per delisted security: when, why, and what its holders got. From CIZ `delret` is already inside the "
        "returns of crsp_daily and crsp_monthly: do not compound it again. From SIZ it is not."
    ),
    columns=(
        whole("permno", "CRSP's permanent security number.", required=True),
        day("delistingdt", "Last day of trading on the exchange.", required=True),
        number("deldtprc", "Price on the delisting day; null from SIZ.", "USD"),
        text("deldtprcflg", "What deldtprc is; null from SIZ."),
        text("delactiontype", "Kind of action; null from SIZ."),
        text("delstatustype", "Status of the delisting; null from SIZ."),
        text("delreasontype", "Reason; null from SIZ."),
        text("delpaymenttype", "Kind of payment; null from SIZ."),
        whole("dlstcd", "SIZ's three-digit delisting code; null from CIZ, which has the four types instead."),
        whole("delpermno", "Security that its holders got; 0 where none."),
        whole("delpermco", "Company of that security; 0 where none."),
        number("delret", "Return from the last price to what was got after delisting.", "decimal"),
        text("delretmisstype", "Why delret is missing: a CIZ type, or from SIZ its special code."),
        day("delnextdt", "Day of the next price or payment."),
        number("delnextprc", "Price on that day.", "USD"),
        text("delnextprcflg", "What delnextprc is; null from SIZ."),
        day("delamtdt", "Day of the last payment."),
        number("deldivamt", "Distributions after delisting.", "USD"),
        text("deldistype", "Kind of those distributions; null from SIZ."),
        day("deldlydt", "Day of crsp_daily whose return holds delret; null from SIZ."),
    ),
    key=("permno", "delistingdt"),
    date_column="delistingdt",
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(
        relation="crsp.stkdelists",
        sql="crsp/crsp_delistings.sql",
        siz=WrdsQuery(relation="crsp.dsedelist", sql="crsp/crsp_delistings_siz.sql"),
    ),
    calendar=None,
    first_date=_BEGIN,
    rules=(
        *at_least(1, "permno", reason="CRSP numbers securities from 1 on."),
        *at_least(
            -1, "delret", reason="Nobody loses more than everything; SIZ's codes for a missing one lie below -1."
        ),
        *at_least(
            0,
            *("deldtprc", "delnextprc", "deldivamt"),
            reason="A price or payment below 0 is a mistake at the source.",
            severity=Severity.WARNING,
        ),
        *at_least(0, "delpermno", "delpermco", reason="0 means that holders got no other security."),
        *between(
            200, 999, "dlstcd", reason="Below 200 a security is still listed; those rows are not fetched from SIZ."
        ),
        in_order(
            "delistingdt", "deldlydt", reason="The row that holds the delisting return comes after the last trade."
        ),
        in_order("delistingdt", "delnextdt", reason="The next price or payment comes after the last trade."),
        NotBefore(
            column="delistingdt",
            entity=("permno",),
            reference="crsp_names",
            reference_column="secinfostartdt",
            reason="A security leaves after it came.",
        ),
    ),
)

CRSP_DISTRIBUTIONS: Final = Table(
    name="crsp_distributions",
    dataset="crsp",
    title="CRSP distributions",
    description=(
        "One row per distribution of a security: dividends, splits, rights, liquidations. Several may share an "
        "ex-date, so that joining them to prices repeats rows."
    ),
    columns=(
        whole("permno", "CRSP's permanent security number.", required=True),
        day("disexdt", "Ex-date: the first day of trading without the distribution.", required=True),
        whole("disseqnbr", "Number among the distributions of that day.", required=True),
        text("disordinaryflg", "Y: an ordinary dividend."),
        text("distype", "Kind: CD cash dividend, FRS split, and others."),
        text("disfreqtype", "How often it is paid: Q quarterly, M monthly, and others."),
        text("dispaymenttype", "What it is paid in: US dollars, shares, and others."),
        text("disdetailtype", "Detail, such as STKSPL for a split."),
        text("distaxtype", "How it is taxed."),
        text("disorigcurtype", "Currency in which it was declared."),
        number("disdivamt", "Amount per share; null, not 0, where nothing is paid in cash.", "USD"),
        number("disfacpr", "Factor by which the price changes: new shares per share before, less one.", "factor"),
        number("disfacshr", "Factor by which the number of shares changes.", "factor"),
        day("disdeclaredt", "Day of declaration."),
        day("disrecorddt", "Record date."),
        day("dispaydt", "Payment date."),
        whole("dispermno", "Security that was distributed, where one was."),
        whole("dispermco", "Company of that security."),
        text("disamountsourcetype", "Where the amount comes from."),
    ),
    key=("permno", "disexdt", "disseqnbr"),
    date_column="disexdt",
    partitioning=Partitioning.WHOLE,
    origin=WrdsQuery(relation="crsp.stkdistributions", sql="crsp/crsp_distributions.sql"),
    calendar=None,
    first_date=_BEGIN,
    rules=(
        *at_least(
            1, "permno", "disseqnbr", reason="CRSP numbers securities, and the distributions of a day, from 1 on."
        ),
        *at_least(0, "disdivamt", reason="Nobody is paid less than nothing.", severity=Severity.WARNING),
        *at_least(
            -1,
            *("disfacpr", "disfacshr"),
            reason="A factor of -1 is a security that ends; it cannot lose more.",
            severity=Severity.WARNING,
        ),
        codes("disordinaryflg", "Y", "N", reason="A flag says yes or no."),
        in_order("disdeclaredt", "dispaydt", reason="What is paid was declared before."),
    ),
)
