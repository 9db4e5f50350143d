"""Each test of this folder begins with an empty queue and a free limit."""

from __future__ import annotations

import pytest

from data_platform.orchestration.instance import dagster_environment
from data_platform_tests.orchestration.webserver.world import World


@pytest.fixture
def world(governed_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    # What the coordinator reads of the environment where no request tells it who asks.
    for name, value in dagster_environment(governed_world.settings, governed_world.records.databases).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATA_PLATFORM_IDENTITY", "token")
    governed_world.forget_runs()
    return governed_world
