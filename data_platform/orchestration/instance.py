"""The Dagster instance: `dagster.yaml` of the checkout, with addresses prepared from the settings."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from data_platform.records.databases import Databases
from data_platform.settings import PROJECT_ROOT, Settings

_IN_PROCESS: Final = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
"""A command's output belongs to its terminal; capturing it would put helper processes of Dagster in between."""


def dagster_environment(settings: Settings, databases: Databases) -> dict[str, str]:
    """The variables that `dagster.yaml` and every process of Dagster need. They hold a password: never print them."""
    folder = settings.home / "dagster"
    return {
        "DAGSTER_HOME": str(PROJECT_ROOT),
        "DATA_PLATFORM_HOME": str(settings.home),
        "DATA_PLATFORM_DAGSTER_URL": databases.dagster_url,
        "DATA_PLATFORM_DAGSTER_FOLDER": str(folder),
        "DATA_PLATFORM_DAGSTER_LOGS": str(folder / "compute_logs"),
    }


@contextmanager
def open_instance(settings: Settings, databases: Databases) -> Generator[dg.DagsterInstance]:
    """Open the instance in this process, for the length of the block."""
    (settings.home / "dagster").mkdir(mode=0o700, parents=True, exist_ok=True)
    variables = dagster_environment(settings, databases)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(PROJECT_ROOT), overrides=_IN_PROCESS)) as instance:
            yield instance
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
