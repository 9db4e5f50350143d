"""One served webserver for all tests of this folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.orchestration.instance import dagster_environment
from data_platform_tests.orchestration.api.served import Served, fill, serve
from data_platform_tests.orchestration.webserver.world import open_world


@pytest.fixture(scope="package")
def _served() -> Iterator[Served]:
    root = Path(tempfile.mkdtemp(prefix="dp-", dir="/tmp"))
    with open_world(root / "h") as world:
        fill(world.settings)
        with serve(world, queries_per_minute=100_000, exports_per_hour=10_000) as served:
            yield served
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def served(_served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    # What the coordinator reads of the environment where no request tells it who asks.
    world = _served.world
    for name, value in dagster_environment(world.settings, world.records.databases).items():
        monkeypatch.setenv(name, value)
    world.forget_runs()
    return _served
