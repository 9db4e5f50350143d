"""What the fault tests share: one `data-platform up` for the tests of a file, with gates for its runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from data_platform_tests.orchestration.faults.gates import Gates
from data_platform_tests.orchestration.faults.served import Served, serve


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as running:
        running.open_pool(4)
        yield running


@pytest.fixture(scope="module")
def gates(served: Served) -> Gates:
    return Gates(served)
