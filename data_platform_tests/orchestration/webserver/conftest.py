"""One governed webserver for all tests of this folder; each begins with an empty queue and a free limit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.orchestration.instance import dagster_environment
from data_platform_tests.orchestration.webserver.world import World, open_world


@pytest.fixture(scope="package")
def _world() -> Iterator[World]:
    root = Path(tempfile.mkdtemp(prefix="dp-", dir="/tmp"))
    with open_world(root / "h") as world:
        yield world
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def world(_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    # What the coordinator reads of the environment where no request tells it who asks.
    for name, value in dagster_environment(_world.settings, _world.records.databases).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATA_PLATFORM_IDENTITY", "token")
    _world.forget_runs()
    return _world
