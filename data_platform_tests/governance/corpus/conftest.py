"""The door over a warehouse with a permitted dataset and foreign ones, for a whole module of statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.engine.limits import MIB, EngineLimits
from data_platform.records.connection import Records
from data_platform_tests.governance.corpus.door import Door


@pytest.fixture(scope="module")
def strict_engine() -> Iterator[QueryEngine]:
    """Little memory, and room for four at a time."""
    engine = QueryEngine(EngineLimits(memory_bytes=192 * MIB, address_space_bytes=1536 * MIB))
    yield engine
    engine.close()


@pytest.fixture
def door(records: Records, tmp_path: Path, strict_engine: QueryEngine) -> Door:
    return Door(records, tmp_path, strict_engine)
