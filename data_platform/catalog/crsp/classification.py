"""The columns by which CRSP's CIZ format classifies a security on a day: what it is, and where and how it trades."""

from __future__ import annotations

from typing import Final

from data_platform.catalog.columns import text

CLASSIFICATION: Final = (
    text("sharetype", "NS: no special share type."),
    text("securitytype", "EQTY: equity."),
    text("securitysubtype", "COM: common."),
    text("usincflg", "Y: incorporated in the US."),
    text("issuertype", "ACOR or CORP: corporation."),
    text("primaryexch", "N NYSE, A American, Q NASDAQ."),
    text("conditionaltype", "RW: traded the regular way; crsp_exchange_codes says what the others are."),
    text("tradingstatusflg", "A: active; the row of a delisting return is not."),
)
