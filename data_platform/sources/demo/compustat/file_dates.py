"""The demo's `comp.co_filedate`: when annual and quarterly reports were filed."""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
import polars as pl

from data_platform.sources.demo.columns import in_order, picked
from data_platform.sources.demo.compustat.statements import Statements, dates_of

COLUMN_TYPES: Final[dict[str, LiteralString]] = {
    "gvkey": "varchar(6)",
    "datadate": "date",
    "consol": "varchar(1)",
    "popsrc": "varchar(1)",
    "srctype": "varchar(4)",
    "filedate": "date",
}


def relation_frame(statements: Statements) -> pl.DataFrame:
    """One row per quarter that was filed, ordered by gvkey and date: 10K for a fiscal year's last, else 10Q."""
    company, at = np.nonzero(statements.there)
    fourth = statements.quarters.quarter[company, at] == 4  # noqa: PLR2004 - the last one
    return in_order(
        {
            "gvkey": picked(statements.firms.gvkey, company),
            "datadate": dates_of(statements.quarters.day[company, at]),
            "consol": "C",
            "popsrc": "D",
            "srctype": picked(("10Q", "10K"), fourth.astype(np.int64)),
            "filedate": dates_of(statements.filings.filed[company, at]),
        },
        COLUMN_TYPES,
    ).sort("gvkey", "datadate")
