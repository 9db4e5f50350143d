"""What Dagster is told: one asset per table with its checks, partitions, owners and schema."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path

import dagster as dg
import pytest
import yaml

from data_platform.catalog import TABLES, Partitioning, Table, WrdsQuery, find_table
from data_platform.catalog.stretches import stretches
from data_platform.definitions import build_definitions
from data_platform.orchestration.assets import partitions_definition
from data_platform.orchestration.launching import partition_tags
from data_platform.quality import CHECKS
from data_platform.settings import PROJECT_ROOT, Settings
from data_platform.sources.demo.marker import DemoMarker, write_marker

EVERY_TABLE = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@EVERY_TABLE
def test_each_table_is_an_asset_with_every_validator_as_a_blocking_check(table: Table, settings: Settings) -> None:
    graph = build_definitions(settings).resolve_asset_graph()
    key = dg.AssetKey(table.name)
    node = graph.get(key)
    assert (node.group_name, list(node.owners or [])) == (table.dataset, [f"team:{table.dataset}"])
    assert {check.name for check in graph.get_check_keys_for_assets({key})} == {kind.value for kind in CHECKS}
    assert all(graph.get_check_spec(check).blocking for check in graph.get_check_keys_for_assets({key}))
    described = node.metadata["dagster/column_schema"]
    assert [column.name for column in described.columns] == [column.name for column in table.columns]
    assert all(column.description for column in described.columns)


@EVERY_TABLE
def test_tables_from_wrds_share_one_pool(table: Table, settings: Settings) -> None:
    node = build_definitions(settings).resolve_asset_graph().get(dg.AssetKey(table.name))
    assert node.pools == ({"wrds"} if isinstance(table.origin, WrdsQuery) or table.on_wrds is not None else set())


def test_nothing_is_warned_of_that_a_command_would_show(settings: Settings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", dg.BetaWarning)
        assert build_definitions(settings).sensors


def test_years_run_from_the_first_configured_one_to_the_current_one(settings: Settings) -> None:
    definition = partitions_definition(find_table("crsp_daily"), settings)
    assert definition is not None
    today = dt.datetime.now(dt.UTC).date()
    assert definition.get_partition_keys() == [str(year) for year in range(2000, today.year + 1)]
    assert partitions_definition(find_table("ff_factors_daily"), settings) is None
    assert find_table("ff_factors_daily").partitioning is Partitioning.WHOLE


def test_a_demo_home_has_the_demos_years(settings: Settings) -> None:
    write_marker(settings, DemoMarker(generator=1, seed=1, first_year=2020, last_year=2024, securities=1, rows=1))
    definition = partitions_definition(find_table("crsp_daily"), settings)
    assert definition is not None
    assert definition.get_partition_keys() == ["2020", "2021", "2022", "2023", "2024"]


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [
        ([], []),
        (["2020"], [["2020"]]),
        (["2022", "2020", "2021"], [["2020", "2021", "2022"]]),
        (["2020", "2022", "2023"], [["2020"], ["2022", "2023"]]),
    ],
)
def test_partitions_are_run_in_stretches(partitions: list[str], expected: list[list[str]]) -> None:
    assert stretches(partitions) == expected


def test_only_a_stretch_of_several_is_a_range() -> None:
    assert partition_tags(["2020"]) == {}
    assert set(partition_tags(["2020", "2021"]).values()) == {"2020", "2021"}


def test_telemetry_is_off() -> None:
    assert yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}
