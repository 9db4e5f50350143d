"""What the flags of the demo's CIZ relations mean: a dictionary in our own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Flags:
    """A kind of flag: its title, and each value's meaning."""

    title: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A column of some relation; `flags` names the kind of its flags."""

    title: str
    category: str = "Security"
    flags: str | None = None
    kind: str = "Number"


_YES_NO: Final = {"Y": "Yes", "N": "No"}

FLAGS: Final[Mapping[str, Flags]] = {
    "EX": Flags(
        "Primary exchange",
        {
            "N": "New York Stock Exchange",
            "A": "NYSE American",
            "Q": "NASDAQ",
            "R": "NYSE Arca",
            "B": "Cboe BZX, formerly BATS",
            "I": "Investors Exchange",
            "X": "Unknown, or not followed",
        },
    ),
    "CT": Flags("Conditional type", {"RW": "Traded regularly", "NW": "Traded when issued", "EW": "Ex-distributed"}),
    "TS": Flags(
        "Trading status",
        {"A": "Active", "H": "Halted", "S": "Suspended", "X": "Unknown", "D": "Delisted, the day of its last return"},
    ),
    "ET": Flags(
        "Exchange tier", {"GS": "NASDAQ Global Select", "GM": "NASDAQ Global Market", "SC": "NASDAQ Capital Market"}
    ),
    "ST": Flags(
        "Share type",
        {"NS": "Nothing special", "AD": "Depositary receipt", "SB": "Beneficial interest", "UG": "Unit"},
    ),
    "SE": Flags("Security type", {"EQTY": "Equity", "FUND": "Fund", "DERV": "Derivative"}),
    "SS": Flags("Security sub-type", {"COM": "Common stock", "ETF": "Exchange-traded fund", "CEF": "Closed-end fund"}),
    "IT": Flags(
        "Issuer type",
        {"CORP": "Corporation", "ACOR": "Corporation of a special form", "REIT": "Real estate investment trust"},
    ),
    "YN": Flags("Yes or no", _YES_NO),
    "PF": Flags(
        "Price flag",
        {"TR": "A closing trade", "BA": "Midpoint of bid and ask", "DA": "Amount paid at delisting", "MP": "No price"},
    ),
    "RM": Flags(
        "Why a return is missing",
        {"NS": "New: no price before", "MP": "No price today", "DM": "Delisting return not established"},
    ),
    "RD": Flags("Trading days a return spans", {f"D{days}": f"{days} trading days" for days in range(1, 11)}),
    "DR": Flags(
        "Distributions in a return",
        {"NO": "None", "C1": "One in cash", "C2": "Two in cash", "S1": "A split"},
    ),
    "DA": Flags(
        "Delisting action",
        {"MER": "Merged", "GEX": "Exchanged", "GLI": "Liquidated", "GDR": "Dropped by its exchange"},
    ),
    "DS": Flags("Delisting status", {"VCL": "Closed, everything paid", "UNAV": "Unavailable"}),
    "DE": Flags("Delisting reason", {"CORQ": "The company's request", "BKPY": "Bankruptcy", "UNAV": "Unavailable"}),
    "DP": Flags("Delisting payment", {"CASH": "Cash", "OS": "Other stock", "UNAV": "Unavailable"}),
    "MC": Flags("Completeness of a month", {"C": "Complete", "I": "Incomplete"}),
    "MS": Flags("How a month is complete", {"FM": "Every session", "BM": "Begins within it", "EM": "Ends within it"}),
    "MD": Flags("Date of a month's price", {"ME": "Last session of the month", "LD": "Last day listed"}),
    "MV": Flags("Volume of a month", {"SM": "Sum of its days", "NV": "No volume"}),
}

ITEMS: Final[Mapping[str, Item]] = {
    "PrimaryExch": Item("Primary exchange", flags="EX"),
    "ConditionalType": Item("Conditional type", flags="CT"),
    "TradingStatusFlg": Item("Trading status", flags="TS"),
    "ExchangeTier": Item("Exchange tier", flags="ET"),
    "ShareType": Item("Share type", flags="ST"),
    "SecurityType": Item("Security type", flags="SE"),
    "SecuritySubType": Item("Security sub-type", flags="SS"),
    "IssuerType": Item("Issuer type", "Issuer", "IT"),
    "USIncFlg": Item("Incorporated in the United States", "Issuer", "YN"),
    "SecurityHdrFlg": Item("Last row of the security", flags="YN"),
    "SecurityActiveFlg": Item("Still listed", flags="YN"),
    "DelActionType": Item("Delisting action", "Delisting", "DA"),
    "DelStatusType": Item("Delisting status", "Delisting", "DS"),
    "DelReasonType": Item("Delisting reason", "Delisting", "DE"),
    "DelPaymentType": Item("Delisting payment", "Delisting", "DP"),
    "DlyDelFlg": Item("Row holds a delisting return", "Daily", "YN"),
    "DlyPrcFlg": Item("What the price is", "Daily", "PF"),
    "DlyCapFlg": Item("Which price the capitalisation is of", "Daily", "PF"),
    "DlyPrevPrcFlg": Item("What the previous price is", "Daily", "PF"),
    "DlyPrevCapFlg": Item("Which price the previous capitalisation is of", "Daily", "PF"),
    "DlyRetMissFlg": Item("Why the return is missing", "Daily", "RM"),
    "DlyRetDurFlg": Item("Trading days that the return spans", "Daily", "RD"),
    "DlyDistRetFlg": Item("Distributions in the return", "Daily", "DR"),
    "MthCompFlg": Item("Whether the month is complete", "Monthly", "MC"),
    "MthCompSubFlg": Item("How the month is complete", "Monthly", "MS"),
    "MthPrcFlg": Item("What the price is", "Monthly", "PF"),
    "MthDtFlg": Item("Which day the price is of", "Monthly", "MD"),
    "MthDelFlg": Item("Month holds a delisting return", "Monthly", "YN"),
    "MthVolFlg": Item("What the volume is", "Monthly", "MV"),
    "PERMNO": Item("Permanent number of the security", kind="Identifier"),
    "PERMCO": Item("Permanent number of the company", "Issuer", kind="Identifier"),
    "CUSIP": Item("CUSIP on the day", kind="Identifier"),
    "HdrCUSIP": Item("The last CUSIP", kind="Identifier"),
    "Ticker": Item("Ticker on the day", kind="Identifier"),
    "SICCD": Item("Standard Industrial Classification code", "Issuer", kind="Code"),
    "NAICS": Item("North American industry code", "Issuer", kind="Code"),
    "DlyCalDt": Item("Trading day", "Daily", kind="Date"),
    "DlyPrc": Item("Price in USD", "Daily"),
    "DlyRet": Item("Total return, a decimal", "Daily"),
    "DlyRetx": Item("Return without dividends, a decimal", "Daily"),
    "DlyVol": Item("Shares traded", "Daily"),
    "DlyCap": Item("Capitalisation in thousand USD", "Daily"),
    "ShrOut": Item("Shares outstanding in thousands", "Daily"),
}
