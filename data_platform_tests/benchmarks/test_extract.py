"""The extraction benchmark in small: a real server, our transport and the one that most users have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import extract
from benchmarks.extract_figures import Flatness, judge
from benchmarks.samples import Samples


def test_a_run_measures_every_way_that_is_installed_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results" / "extract.json"
    extract.run(rows=12_000, repeat=1, ways="ours,raw_sql", memory="4000", output=output)
    document = json.loads(output.read_text())

    assert document["failures"] == []
    assert set(document["ways"]) == {"ours", "raw_sql"}
    for runs in document["ways"].values():
        assert [each["rows"] for each in runs] == [12_000]
        assert all(0 < each["import_seconds"] < each["seconds"] for each in runs)
        assert all(each["cpu_seconds"] > 0 and each["peak_mb"] > 50 for each in runs)
    # The text of a row has more than a hundred bytes, whoever asks for it.
    assert all(received > 12_000 * 100 for received in document["bytes_received"].values())
    assert [each["rows"] for each in document["memory"]] == [4_000, 12_000]
    assert [target["name"] for target in document["targets"]][:2] == [
        "whole process / the server alone",
        "whole process / wrds.raw_sql",
    ]
    printed = capsys.readouterr().out
    assert "this project" in printed
    assert "wrds.raw_sql + to_parquet" in printed


def test_promises_are_judged_within_rounds() -> None:
    samples = Samples()
    for floor, ours, peer in ((1.0, 1.2, 2.0), (10.0, 12.0, 20.0), (1.0, 1.3, 1.5)):
        for way, seconds in (("floor", floor), ("ours", ours), ("db2pq", peer)):
            samples.add("seconds", way, seconds)
    targets = {target.name: target for target in judge(samples, [Flatness(rows=5, peak_mb=301.0)])}

    assert targets["whole process / the server alone"].figure == 1.2
    assert targets["whole process / the server alone"].met
    assert targets["whole process / db2pq"].figure == 0.6
    assert targets["whole process / db2pq"].met
    assert not targets["MB of memory at 5 rows"].met
    assert "whole process / wrds.raw_sql" not in targets
