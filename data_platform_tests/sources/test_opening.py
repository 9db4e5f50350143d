"""Which source a table gets: what the settings name, else the demo that the home holds, else a clear refusal."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from data_platform.catalog import find_table
from data_platform.errors import ConfigurationError, SourceError
from data_platform.records.databases import Databases, DemoServer
from data_platform.settings import Settings
from data_platform.sources import open_source
from data_platform.sources.demo.load import DemoSummary
from data_platform.sources.demo.site import serve_folder
from data_platform_tests.demo_fixtures import with_account
from data_platform_tests.sources.library_files import good_files

CRSP, FACTORS = find_table("crsp_daily"), find_table("ff_factors_daily")


def test_a_home_with_the_demo_serves_both_tables_from_it(
    source_settings: Settings, source_databases: Databases, demo: DemoSummary
) -> None:
    with open_source(CRSP, source_settings, source_databases) as source:
        assert source.name == "demo"
        stocks = pa.Table.from_batches(source.extract(CRSP, "2024"))
    with open_source(FACTORS, source_settings, source_databases) as source:
        assert source.name == "ken_french_demo"
        factors = pa.Table.from_batches(source.extract(FACTORS, "all"))
        assert source.warnings == []

    assert factors.schema.equals(FACTORS.arrow_schema)
    assert set(stocks["date"].to_pylist()) <= set(factors["date"].to_pylist())
    assert {date.year for date in factors["date"].to_pylist()} == {demo.marker.first_year, demo.marker.last_year}


def test_a_user_in_the_settings_wins_over_the_demo(
    source_settings: Settings, source_databases: Databases, server: DemoServer, demo: DemoSummary
) -> None:
    assert demo.marker.rows
    named = with_account(source_settings, server)

    with open_source(CRSP, named, source_databases) as source:
        assert source.name == "wrds"


def test_an_address_in_the_settings_wins_over_the_demo(
    source_settings: Settings, source_databases: Databases, demo: DemoSummary, tmp_path: Path
) -> None:
    assert demo.marker.rows
    for name, content in good_files().items():
        (tmp_path / name).write_bytes(content)

    with serve_folder(tmp_path) as url:
        named = source_settings.model_copy(update={"ken_french_url": url})
        with open_source(FACTORS, named, source_databases) as source:
            assert source.name == "ken_french"
            assert sum(batch.num_rows for batch in source.extract(FACTORS, "all")) == 5


@pytest.mark.parametrize("demo_server", ["none", "no demo loaded", "own server"])
def test_without_credentials_or_demo_wrds_is_refused_with_the_way_out(
    source_settings: Settings, source_databases: Databases, demo: DemoSummary, tmp_path: Path, demo_server: str
) -> None:
    assert demo.marker.rows
    settings, databases = {
        "none": (source_settings, None),
        "no demo loaded": (Settings(home=tmp_path, _env_file=None), source_databases),
        "own server": (source_settings, dataclasses.replace(source_databases, demo=None)),
    }[demo_server]

    with (
        pytest.raises(SourceError, match="WRDS credentials are missing") as caught,
        open_source(CRSP, settings, databases),
    ):
        pass

    for word in ("DATA_PLATFORM_WRDS_USERNAME", "DATA_PLATFORM_WRDS_PASSWORD", "data-platform demo"):
        assert word in str(caught.value)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ken_french_url="/srv/files", _env_file=None)

    with pytest.raises(ConfigurationError, match="not an HTTP address"), open_source(FACTORS, settings, None):
        pass
