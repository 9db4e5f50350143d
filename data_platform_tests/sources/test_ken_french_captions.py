"""Captions in the spellings of several files and years, and those of tables that are none of ours."""

from __future__ import annotations

import pytest

from data_platform.sources.ken_french.captions import Measure, measure_of


@pytest.mark.parametrize(
    ("caption", "measure"),
    [
        ("Average Value Weighted Returns -- Monthly", Measure.VALUE_WEIGHTED),
        ("  Average Value-Weighted Returns -- Daily  ", Measure.VALUE_WEIGHTED),
        ("Value Weight Returns -- Monthly", Measure.VALUE_WEIGHTED),
        ("VALUE WEIGHTED AVERAGE RETURNS", Measure.VALUE_WEIGHTED),
        ("Value Weighted Monthly Returns", Measure.VALUE_WEIGHTED),
        ("Average Equal Weighted Returns -- Monthly", Measure.EQUAL_WEIGHTED),
        ("Equal-Weight Returns", Measure.EQUAL_WEIGHTED),
        ("Equally Weighted Returns -- Daily", Measure.EQUAL_WEIGHTED),
        ("Number of Firms in Portfolios", Measure.FIRMS),
        ("Number of firms", Measure.FIRMS),
        ("Average Firm Size", Measure.SIZE),
        ("Average Market Cap", Measure.SIZE),
        ("Average Market Capitalization (millions)", Measure.SIZE),
        # A remark, with no blank line before the caption itself.
        ("It contains value- and equal-weighted returns. Average Value Weighted Returns", Measure.VALUE_WEIGHTED),
        ("The annual returns are from January to December. Value Weighted Returns", Measure.VALUE_WEIGHTED),
        ("Average Firm Size is below. Number of Firms in Portfolios", Measure.FIRMS),
    ],
)
def test_the_four_that_are_stored_are_known_in_any_spelling(caption: str, measure: Measure) -> None:
    assert measure_of(caption) is measure


@pytest.mark.parametrize(
    "caption",
    [
        "",
        "Average Value Weighted Returns -- Annual",
        "Equal Weight Returns -- Annual from January to December",
        "Sum of BE / Sum of ME",
        "Value-Weighted Average of BE/ME",
        "Value Weight Average of BE/ME Calculated for June of t to June of t+1",
        "Value Weighted Average of Prior Returns",
        "Average Prior Returns",
        "Prior (2-12) Value Weighted Returns",
        "Equal Weighted Average of OP for portfolios formed in June of year t",
        "It contains value- and equal-weighted returns for 10 industry portfolios.",
        "Weighted Returns",
        "Undervalue weighted returns",
    ],
)
def test_others_are_none_of_them(caption: str) -> None:
    assert measure_of(caption) is None
