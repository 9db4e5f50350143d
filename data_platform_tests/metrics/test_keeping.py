"""Counting in one process: what is kept, and that nothing which goes wrong with it reaches whoever counts."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_platform.metrics import counting
from data_platform.metrics.files import MOST_SERIES, ProcessFile, series
from data_platform.metrics.folding import read_sums
from data_platform.settings import PROJECT_ROOT
from data_platform_tests.metrics.figures import figures, risen

_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from data_platform.metrics import counting
from data_platform.metrics.folding import read_sums
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
home = Path(sys.argv[1])
counting.count_in(home)
counting.alerts_viewed()
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for number in range(100):
    counting.access_denied(f"user{number}", "crsp")
    counting.alerts_viewed()
print(sum(value for key, value in read_sums(home / "metrics").items() if "alert_views" in key))
"""


def test_nothing_is_made_before_something_is_counted_and_then_it_is_private(counting_home: Path) -> None:
    assert not (counting_home / "metrics").exists()
    counting.alerts_viewed()
    assert stat.S_IMODE((counting_home / "metrics").stat().st_mode) == 0o700
    (file,) = (counting_home / "metrics").glob("*.db")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_threads_lose_nothing(counting_home: Path) -> None:
    def count(number: int) -> None:
        for _ in range(500):
            counting.access_denied(f"user{number % 3}", "crsp")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(count, range(6)))
    assert risen({}, figures(counting_home))[("data_dataset_access_denials_total", "user1", "crsp")] == 1000


def test_a_folder_that_goes_begins_anew_and_a_home_that_goes_is_no_matter(counting_home: Path) -> None:
    counting.alerts_viewed()
    shutil.rmtree(counting_home / "metrics")
    counting.alerts_viewed()
    assert figures(counting_home)[("data_quality_alert_views_total",)] == 1
    counting.count_in(counting_home / "gone")
    with counting.query_running("ann", "crsp"):
        counting.partition_synced("crsp", "crsp_daily", "published", 1.0)
    assert not (counting_home / "gone").exists()


def test_a_folder_that_is_a_file_is_no_matter(counting_home: Path) -> None:
    (counting_home / "metrics").write_text("in the way")
    counting.alerts_viewed()
    assert (counting_home / "metrics").read_text() == "in the way"
    assert figures(counting_home)[("data_metrics_readable",)] == 1


def test_a_full_disk_ends_no_process_and_spoils_no_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # What has its place is counted on; what would need more room is not.
    assert (done.returncode, done.stdout.strip()) == (0, "101.0"), done.stderr
    assert done.stderr.count("Metrics can't be kept") == 1


def test_one_process_can_not_begin_series_without_end(tmp_path: Path) -> None:
    file = ProcessFile(tmp_path)
    for number in range(MOST_SERIES):
        file.add(series("data_dataset_access_denials_total", (f"user{number}", "crsp")), 1)
    with pytest.raises(OSError, match="too many series"):
        file.add(series("data_dataset_access_denials_total", ("one more", "crsp")), 1)
    file.add(series("data_dataset_access_denials_total", ("user0", "crsp")), 1)
    sums = read_sums(tmp_path)
    assert (len(sums), sum(sums.values())) == (MOST_SERIES, MOST_SERIES + 1)
    file.close()


def test_a_forked_child_counts_in_a_file_of_its_own(counting_home: Path) -> None:
    counting.alerts_viewed()
    child = os.fork()
    if child == 0:
        counting.alerts_viewed()
        os._exit(len(list((counting_home / "metrics").glob("*.db"))))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    counting.alerts_viewed()
    assert figures(counting_home)[("data_quality_alert_views_total",)] == 3


def test_what_callers_make_up_becomes_no_label(counting_home: Path) -> None:
    counting.access_denied("ann", "SELECT secret FROM x")
    counting.partition_synced("crsp", "/etc/passwd", "failed", 1.0)
    counting.query_refused("no such reason")
    counting.export_requested("ann", "xlsx")
    found = set(risen({}, figures(counting_home)))
    assert {
        ("data_dataset_access_denials_total", "ann", "other"),
        ("data_sync_partitions_total", "crsp", "other", "failed"),
        ("data_query_validation_failures_total", "other"),
        ("data_export_requests_total", "ann", "other"),
    } <= found
    assert not {label for labels in found for label in labels if "secret" in label or "passwd" in label}


def test_counting_loads_no_library(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from data_platform.metrics import counting; "
        "counting.count_in(Path(sys.argv[1])); counting.alerts_viewed(); print('prometheus_client' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"
    assert figures(tmp_path)[("data_quality_alert_views_total",)] == 1
