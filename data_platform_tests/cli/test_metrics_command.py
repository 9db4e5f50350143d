"""What one process counted, another prints."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from data_platform.catalog import TABLES
from data_platform_tests.cli.conftest import run_here


def test_the_command_prints_what_the_processes_of_the_demo_counted(demo_home: Path) -> None:
    done = run_here(demo_home, "metrics")
    assert done.code == 0, done.err
    families = {family.name: family for family in text_string_to_metric_families(done.out)}
    published = {
        sample.labels["table"]: sample.value
        for sample in families["data_sync_partitions"].samples
        if sample.labels["result"] == "published" and sample.value
    }
    assert set(published) <= set(TABLES)
    assert published["crsp_daily"] >= 1
    assert families["data_records_up"].samples[0].value == 1
