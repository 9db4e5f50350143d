"""One governed webserver for the whole session, in this process and on a real socket.

- `governed_world`: the webserver of one home with users of every role; see `orchestration/webserver/world.py`.
- `served`: the same with published tables at an address of this machine; see `orchestration/api/served.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from data_platform_tests.folders import short_folder

if TYPE_CHECKING:
    from data_platform_tests.orchestration.api.served import Served
    from data_platform_tests.orchestration.webserver.world import World


@pytest.fixture(scope="session")
def governed_world() -> Iterator[World]:
    # Dagster takes seconds to import, which most tests do without.
    from data_platform_tests.orchestration.webserver.world import open_world  # noqa: PLC0415 - see above

    root = short_folder()
    with open_world(root / "h") as world:
        yield world
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def _served(governed_world: World) -> Iterator[Served]:
    from data_platform_tests.orchestration.api.served import fill, serve  # noqa: PLC0415 - see above

    fill(governed_world.settings)
    with serve(governed_world, queries_per_minute=100_000, exports_per_hour=10_000) as served:
        yield served


@pytest.fixture
def served(_served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    from data_platform.orchestration.instance import dagster_environment  # noqa: PLC0415 - see above

    # What the coordinator reads of the environment where no request tells it who asks.
    world = _served.world
    for name, value in dagster_environment(world.settings, world.records.databases).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATA_PLATFORM_IDENTITY", "token")
    world.forget_runs()
    return _served
