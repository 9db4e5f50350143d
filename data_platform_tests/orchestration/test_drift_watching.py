"""The sensor of price drift over real published versions: told once, over when it is over, and cheap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from data_platform.definitions import build_definitions
from data_platform.orchestration.drift_watching import watch_prices_once
from data_platform.orchestration.resource import WatchedPlatform
from data_platform.records.alerts import StoredAlert
from data_platform.records.connection import Records
from data_platform.sync import SyncContext
from data_platform.sync.watchers.drift import DriftMemory, Look, look_for_drift
from data_platform.warehouse import layout
from data_platform.warehouse.rollback import roll_back
from data_platform_tests.orchestration.watched import MINUTE, Watched, watched
from data_platform_tests.warehouse.frames import publish

SCHEMA = pa.schema(
    [
        pa.field("permno", pa.int32(), nullable=False),
        pa.field("date", pa.date32()),
        ("prc", pa.float64()),
        ("cfacpr", pa.float64()),
        ("dlydelflg", pa.string()),
        ("mthdelflg", pa.string()),
    ]
)


@dataclass
class Prices:
    """A platform under watch whose prices a test publishes; `cursor` is the sensor's."""

    there: Watched
    cursor: str | None = None
    published: int = field(default=0)

    def publish(self, table: str, year: int, *prices: float, factor: float = 1.0) -> None:
        """A version of a year: a security a price, on the last of December."""
        # Another row each time, so that no two files are the same.
        self.published += 1
        count = len(prices) + 1
        batch = pa.record_batch(
            [
                pa.array([*range(count - 1), 90_000 + self.published], pa.int32()),
                pa.array([dt.date(year, 12, 31)] * count),
                pa.array([*prices, 1.0]),
                pa.array([factor] * count),
                pa.array(["N"] * count),
                pa.array(["N"] * count),
            ],
            schema=SCHEMA,
        )
        publish(self.there.warehouse, table, str(year), batch, schema=SCHEMA)

    def look(self, after: dt.timedelta = 20 * MINUTE) -> Look:
        self.there.now += after
        look, self.cursor = watch_prices_once(self.there.platform, self.cursor, self.there.now)
        return look

    @property
    def alerts(self) -> list[StoredAlert]:
        return self.there.alerts("price_drift")

    @property
    def open(self) -> list[tuple[str, str]]:
        return [(alert.table_name, alert.partition) for alert in self.alerts if not alert.acknowledged]


@pytest.fixture
def prices(records: Records, postgres_home: Path, tmp_path: Path) -> Iterator[Prices]:
    with watched(records, postgres_home, tmp_path) as made:
        yield Prices(made)


def test_a_new_version_with_other_prices_is_told_once_and_is_over_with_the_next_that_moves_none(prices: Prices) -> None:
    prices.publish("crsp_daily", 2023, 10.0, 20.0)
    prices.publish("crsp_daily", 2023, 10.0, 20.1)
    prices.look()
    assert prices.alerts == []
    prices.publish("crsp_daily", 2023, 11.0, 20.0)
    for _ in range(3):
        prices.look()
        # The watchers of other things leave it alone.
        prices.there.look(2)
    (alert,) = prices.alerts
    assert (alert.dataset, alert.table_name, alert.partition, alert.severity) == (
        "crsp",
        "crsp_daily",
        "2023",
        "warning",
    )
    assert alert.message == (
        "1 of 2 prices of crsp_daily 2023 differ by more than 1 % from those of version 2, by 10.0 % at most: of 1 "
        "securities, from 2023-12-31 to 2023-12-31."
    )
    assert prices.open == [("crsp_daily", "2023")]
    prices.publish("crsp_daily", 2023, 11.0, 20.0)
    prices.look()
    assert prices.open == []
    prices.publish("crsp_daily", 2023, 12.0, 20.0)
    prices.look()
    assert (len(prices.alerts), prices.open) == (2, [("crsp_daily", "2023")])


def test_going_back_to_the_old_prices_settles_it_and_another_partition_does_not(prices: Prices) -> None:
    prices.publish("crsp_daily", 2023, 10.0)
    prices.look()
    prices.publish("crsp_daily", 2023, 30.0)
    prices.publish("crsp_daily", 2024, 30.0)
    prices.look()
    assert prices.open == [("crsp_daily", "2023")]
    prices.publish("crsp_daily", 2023, 10.0)
    prices.look()
    assert prices.open == []


def test_a_split_that_both_versions_know_in_their_own_way_is_no_drift(prices: Prices) -> None:
    prices.publish("crsp_daily", 2023, 100.0, factor=2.0)
    prices.publish("crsp_daily", 2023, 50.0, factor=1.0)
    assert prices.look().comparisons == 1
    assert prices.alerts == []


def test_two_tables_that_disagree_are_told_until_they_agree(prices: Prices) -> None:
    prices.publish("crsp_daily", 2022, 5.0)
    prices.publish("crsp_daily", 2023, 10.0, 20.0)
    prices.look()
    prices.publish("crsp_monthly", 2023, 10.0, 20.5)
    prices.publish("crsp_monthly", 2024, 1.0)
    for _ in range(3):
        prices.look()
    assert [(alert.table_name, alert.partition) for alert in prices.alerts] == [
        ("crsp_monthly", "2023 beside crsp_daily")
    ]
    assert "1 of 2 prices of crsp_monthly 2023" in prices.alerts[0].message
    prices.publish("crsp_monthly", 2023, 10.0, 20.0)
    prices.look()
    # What moved between the versions of crsp_monthly is told in its own right.
    assert prices.open == [("crsp_monthly", "2023")]
    prices.publish("crsp_monthly", 2023, 10.0, 20.0)
    prices.look()
    assert prices.open == []


def test_each_comparison_is_made_once_and_what_is_left_waits_for_the_next_look(prices: Prices) -> None:
    for year in (2021, 2022, 2023):
        for table in ("crsp_daily", "crsp_monthly"):
            prices.publish(table, year, 10.0)
    assert prices.look().comparisons == 3
    assert prices.look().comparisons == 0
    warehouse = prices.there.warehouse
    memory, made = DriftMemory(), list[int]()
    for _ in range(4):
        # A clock by which the time is over at once.
        look = look_for_drift(warehouse, memory, seconds=0.0)
        memory = DriftMemory.read(look.memory.model_dump_json(exclude_defaults=True))
        made.append(look.comparisons)
    assert (made, look.is_complete) == ([1, 1, 1, 0], True)


def test_a_version_that_changes_many_partitions_is_compared_over_several_looks(prices: Prices) -> None:
    for price in (10.0, 30.0):
        for year in (2021, 2022, 2023):
            prices.publish("crsp_daily", year, price)
    warehouse = prices.there.warehouse
    with warehouse.lock("crsp_daily").acquire() as lock:
        roll_back(warehouse.store, lock, "crsp_daily", to=3)
    memory, made = DriftMemory(), list[tuple[int, int, bool]]()
    for _ in range(4):
        look = look_for_drift(warehouse, memory, seconds=0.0)
        memory = DriftMemory.read(look.memory.model_dump_json(exclude_defaults=True))
        made.append((look.comparisons, len(look.found), look.is_complete))
    # The time is over at once, after one comparison.
    assert made == [(1, 1, False), (1, 2, False), (1, 3, False), (0, 3, True)]
    assert memory.pairs["crsp_daily|crsp_daily"].version == 7


def test_a_file_that_is_gone_is_passed_over(prices: Prices) -> None:
    prices.publish("crsp_daily", 2023, 10.0)
    manifest = prices.there.warehouse.manifests("crsp_daily").latest()
    assert manifest is not None
    prices.publish("crsp_daily", 2023, 30.0)
    prices.there.warehouse.store.path(layout.blob(manifest.files[0].sha256)).unlink()
    prices.publish("crsp_monthly", 2023, 10.0)
    assert prices.look().comparisons == 1
    assert prices.open == [("crsp_monthly", "2023 beside crsp_daily")]


def test_the_sensor_runs_by_itself_starts_nothing_and_says_what_drifts(prices: Prices) -> None:
    platform = prices.there.platform
    context = SyncContext(platform.settings, platform.warehouse, platform.records)
    resources = {"platform": WatchedPlatform(platform, context, lambda _result: None)}
    definitions = build_definitions(platform.settings, resources)
    sensor = definitions.resolve_sensor_def("price_drift")
    assert (sensor.minimum_interval_seconds, sensor.default_status) == (300, dg.DefaultSensorStatus.RUNNING)
    prices.publish("crsp_daily", 2023, 10.0)
    prices.publish("crsp_daily", 2023, 30.0)
    cursor, said = None, list[str]()
    for _ in range(2):
        with dg.build_sensor_context(
            prices.there.instance, cursor=cursor, definitions=definitions, resources=resources
        ) as asked:
            result = sensor.evaluate_tick(asked)
        assert result.run_requests == []
        said.append(str(result.skip_message))
        cursor = result.cursor
    assert said == [f"{count} comparisons. Wrong now: price_drift (crsp_daily)." for count in (1, 0)]
    assert len(prices.alerts) == 1


def test_a_cursor_that_cannot_be_read_is_begun_anew(prices: Prices) -> None:
    prices.publish("crsp_daily", 2023, 10.0)
    prices.publish("crsp_daily", 2023, 30.0)
    prices.look()
    for cursor in ("", "nonsense", "{}", '["{}", "{\\"pairs\\": 1}"]'):
        prices.cursor = cursor
        assert prices.look().comparisons == 1
    assert len(prices.alerts) == 1
