"""One number says how large a demo is, within limits that are told."""

from __future__ import annotations

import pytest

from data_platform.errors import UsageError
from data_platform.records.databases import Databases
from data_platform.settings import Settings
from data_platform.sources.demo.crsp.dsf_v2 import rows
from data_platform.sources.demo.load import load_demo
from data_platform.sources.demo.marker import demo_marker
from data_platform.sources.demo.market import simulate
from data_platform.sources.demo.size import DEFAULT_ROWS, securities_for


@pytest.mark.parametrize(
    ("wanted", "years"), [(DEFAULT_ROWS, (2020, 2024)), (60_000, (2023, 2024)), (40_000, (2024, 2024))]
)
def test_there_are_about_as_many_rows_as_wanted(wanted: int, years: tuple[int, int]) -> None:
    market = simulate(1, *years, securities_for(wanted, years))

    assert rows(market) == pytest.approx(wanted, rel=0.05)


def test_a_small_demo_has_the_securities_that_its_special_cases_need() -> None:
    assert securities_for(5_000, (2020, 2024)) == 20
    assert securities_for(5_000_000, (2020, 2024)) > 4_000


@pytest.mark.parametrize("wanted", [-1, 0, 4_999, 5_000_001])
def test_other_sizes_are_refused_before_anything_is_removed(
    source_settings: Settings, source_databases: Databases, wanted: int
) -> None:
    before = demo_marker(source_settings)

    with pytest.raises(UsageError) as caught:
        load_demo(source_settings, source_databases, rows=wanted)

    assert "5,000 to 5,000,000" in (caught.value.hint or "")
    assert demo_marker(source_settings) == before
