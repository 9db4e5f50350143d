"""A home that this process counts in while a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.metrics.counting import count_in


@pytest.fixture
def counting_home(tmp_path: Path) -> Iterator[Path]:
    count_in(tmp_path)
    yield tmp_path
    count_in(tmp_path / "nowhere")
