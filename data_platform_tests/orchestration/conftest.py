"""A home with the demo's source loaded and nothing synced yet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.records.connection import open_records
from data_platform.settings import Settings
from data_platform.sources.demo.load import load_demo
from data_platform_tests.folders import short_folder


@pytest.fixture(scope="module")
def demo_copy() -> Iterator[Path]:
    root = short_folder()
    settings = Settings(home=root / "h")
    with open_records(settings) as records:
        load_demo(settings, records.databases, securities=20)
    yield settings.home
    shutil.rmtree(root, ignore_errors=True)
