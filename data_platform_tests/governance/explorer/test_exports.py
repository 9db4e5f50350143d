"""Exports: whole or not at all, for one user, described by a manifest, limited and audited."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from data_platform.catalog import DATASETS
from data_platform.errors import NotPermittedError, RateLimitedError, UsageError
from data_platform.governance.explorer.export_files import write_export
from data_platform.governance.explorer.tickets import Written
from data_platform.governance.permissions import Role, User
from data_platform_tests.governance.explorer.conftest import World

QUERY = "SELECT permno, date, ret FROM crsp_daily WHERE permno = $permno ORDER BY date"


def test_an_export_is_a_file_with_a_manifest_that_says_what_it_is(world: World) -> None:
    oda = world.person("oda", Role.OPERATOR)
    job = world.service.export_data(
        oda, "crsp", QUERY, "parquet", parameters={"permno": 10002}, client_ip="192.0.2.9", as_of=2
    )
    assert (job.format, job.row_count, job.versions, job.remaining_exports) == ("parquet", 150, {"crsp_daily": 2}, 4)
    file = world.service.open_export(oda, job.export_id)
    assert file.dto.model_copy(update={"duration_ms": job.duration_ms}) == job
    assert file.path.parent == world.settings.warehouse_root / "exports" / "oda" / str(job.export_id)
    assert {path.name for path in file.path.parent.iterdir()} == {"export.parquet", "manifest.json"}
    assert [stat.S_IMODE(path.stat().st_mode) for path in file.path.parent.iterdir()] == [0o600] * 2
    content = file.path.read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (job.sha256, job.bytes)
    rows = pq.read_table(file.path)
    assert rows["permno"].unique().to_pylist() == [10002]
    assert pq.ParquetFile(file.path).metadata.row_group(0).column(0).compression == "ZSTD"
    told = json.loads(file.manifest_path.read_text())
    assert told["sql"] == QUERY
    assert told["parameters"] == {"permno": ["int", "10002"]}
    assert "crsp_daily" in told["canonical_sql"]
    assert (told["user"], told["as_of"], told["row_count"]) == ("oda", "2", 150)
    assert told["versions"] == {"crsp_daily": 2}
    assert told["manifest_checksums"]["crsp_daily"] == world.warehouse.reader("crsp_daily").pin(2).manifest.checksum
    assert DATASETS["crsp"].licence in told["licence"]
    assert told["sha256"] == job.sha256
    attempt, outcome = world.audited("oda")
    assert (attempt.kind, attempt.client_ip, outcome.result, outcome.row_count) == (
        "export",
        "192.0.2.9",
        "success",
        150,
    )
    (entry,) = world.actions("oda", "export")
    assert (entry.subject, entry.dataset) == (str(job.export_id), "crsp")
    assert (entry.new_value or {})["sha256"] == job.sha256
    (download,) = world.actions("oda", "export.download")
    assert download.new_value == {"query_id": attempt.id, "format": "parquet", "rows": 150}
    (request,) = world.service.history(oda)
    assert (request.kind, request.format, request.state, request.has_result) == ("export", "parquet", "done", True)


def written(folder: Path, table: pa.Table, *, escape: bool = False) -> str:
    return write_export(folder, table, Written("csv", escape)).path.read_bytes().decode()


def test_csv_tells_missing_from_empty_and_keeps_every_character(tmp_path: Path) -> None:
    texts = ["", None, "a,b", 'say "so"', "two\nlines", "Zürich 股", "=1+1"]
    table = pa.table({"t": texts, "n": [1.5, None, -2.0, 0.1, 1e300, 3.0, -1.0], "t2": texts}).rename_columns(
        ["t", "n", "t"]
    )
    text = written(tmp_path, table)
    lines = text.split("\n")
    assert lines[0] == '"t","n","t_2"'
    assert lines[1] == '"",1.5,""'
    assert lines[2] == ",,"
    assert [row[0] or None for row in csv.reader(text.splitlines(keepends=True))][3:5] == ["a,b", 'say "so"']
    options = pa_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""])
    parse = pa_csv.ParseOptions(newlines_in_values=True)
    back = pa_csv.read_csv(tmp_path / "export.csv", convert_options=options, parse_options=parse)
    assert back["t"].to_pylist() == texts
    assert back["n"].to_pylist() == table.column(1).to_pylist()


def test_formulas_are_escaped_when_asked_for_and_numbers_never(tmp_path: Path) -> None:
    dangerous = ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\tx", "\rx"]
    harmless = ["x=1", "", None, "'quoted", " =1", "a-b"]
    table = pa.table({"=t": [*dangerous, *harmless], "n": [-1.0] * 12, "d": pa.array([-5] * 12, pa.int64())})
    rows = list(csv.reader(written(tmp_path, table, escape=True).splitlines(keepends=True)))
    rows = [row for row in rows if row]
    assert rows[0] == ["'=t", "n", "d"]
    text = written(tmp_path, table, escape=True)
    for each in dangerous:
        assert f'"\'{each}",-1,-5' in text
    assert [line.split(",")[0] for line in text.replace("\rx", "").splitlines()[-6:]] == [
        '"x=1"', '""', "", "\"'quoted\"", '" =1"', '"a-b"',
    ]  # fmt: skip
    assert '"=HYPERLINK(1)"' in written(tmp_path, table)
    enum = pa.table({"e": pa.array(["=cmd", None, "a"]).dictionary_encode(), "w": ["\uff1d1", "\n=1", "\uff20a"]})
    assert written(tmp_path, enum, escape=True) == '"e","w"\n"\'=cmd","\'\uff1d1"\n,"\'\n=1"\n"a","\'\uff20a"\n'


def test_a_result_that_is_too_long_or_of_odd_types_leaves_nothing(world: World) -> None:
    pia = world.person("pia", Role.OPERATOR)
    with pytest.raises(UsageError, match=r"more than 100,000 rows.*nothing was exported") as caught:
        world.service.export_data(pia, "crsp", "SELECT * FROM range(100001)")
    assert "Filter by date" in str(caught.value)
    with pytest.raises(UsageError, match="can't be written as CSV"):
        world.service.export_data(pia, "crsp", "SELECT [1, 2] AS l")
    assert world.service.export_data(pia, "crsp", "SELECT * FROM range(100000)").row_count == 100_000
    folders = [*(world.settings.warehouse_root / "exports" / "pia").iterdir()]
    assert len(folders) == 1
    assert [row.result for row in world.audited("pia") if row.attempt_id] == ["error", "error", "success"]
    assert [(r.state, r.error_kind) for r in world.requests("pia")] == [
        ("failed", "usage"), ("failed", "usage"), ("done", None),
    ]  # fmt: skip


def test_an_export_needs_both_permissions_and_so_does_its_file(world: World) -> None:
    ann, rob = world.person("ann"), world.person("rob", Role.OPERATOR)
    with pytest.raises(NotPermittedError, match="Access to crsp requires export:data"):
        world.service.export_data(ann, "crsp", "SELECT 1")
    with pytest.raises(NotPermittedError, match="Access to crsp requires export:data"):
        world.service.submit_export(ann, "crsp", "SELECT 1")
    assert [(row.kind, row.result) for row in world.audited("ann")] == [("export", "denied")] * 2
    job = world.service.export_data(rob, "crsp", "SELECT count(*) AS n FROM crsp_daily")
    for revoked, needed in (("export:data", "export:data"), ("query:data", "query:data"), ("dataset:crsp", "dataset")):
        with pytest.raises(NotPermittedError, match=needed):
            world.service.open_export(User("rob", Role.OPERATOR, revocations=frozenset({revoked})), job.export_id)
    eve = world.person("eve", Role.ADMIN)
    for stranger, number in ((eve, job.export_id), (rob, uuid4())):
        with pytest.raises(UsageError, match=f"Export {number} was not found"):
            world.service.open_export(stranger, number)
    query = world.service.execute_query(rob, "crsp", "SELECT 1").dto.request_id
    with pytest.raises(UsageError, match="was not found"):
        world.service.open_export(rob, query)
    with pytest.raises(UsageError, match="is an export"):
        world.service.get_result(rob, job.export_id)


def test_a_file_lives_for_a_day_and_goes_with_its_manifest(world: World) -> None:
    sam = world.person("sam", Role.OPERATOR)
    job = world.service.export_data(sam, "crsp", "SELECT 1 AS one")
    file = world.service.open_export(sam, job.export_id)
    world.installation.tamper(
        "UPDATE platform.query_requests SET expires_at = now() - interval '1 second', "
        "updated_at = now() - interval '25 hours' WHERE user_id = 'sam'"
    )
    with pytest.raises(UsageError, match="files live for 24 hours"):
        world.service.open_export(sam, job.export_id)
    world.installation.age(0 * (job.expires_at - job.created_at))
    assert not file.path.parent.exists()
    with pytest.raises(UsageError, match="was not found"):
        world.service.open_export(sam, job.export_id)


def test_what_a_killed_run_left_is_removed_with_its_request(world: World) -> None:
    kim = world.person("kim", Role.OPERATOR)
    request = world.service.submit_export(kim, "crsp", "SELECT 1")
    left = world.settings.warehouse_root / "exports" / "kim" / str(request.id) / ".export.csv.0badcafe"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    world.installation.tamper(
        "UPDATE platform.query_requests SET state = 'running', updated_at = now() - interval '25 hours' "
        "WHERE user_id = 'kim'"
    )
    world.installation.age(0 * (request.created_at - request.created_at))
    assert not left.parent.exists()


def test_of_fifty_clients_at_once_five_get_an_export(world: World) -> None:
    ida = world.person("ida", Role.OPERATOR)

    def ask(number: int) -> int | None:
        try:
            return world.service.export_data(ida, "crsp", f"SELECT {number} AS n").remaining_exports
        except RateLimitedError as error:
            assert 3_500 <= error.retry_after_seconds <= 3_600
            return None

    with ThreadPoolExecutor(50) as threads:
        granted = [each for each in threads.map(ask, range(50)) if each is not None]
    assert sorted(granted) == [0, 1, 2, 3, 4]
    results = [str(row.result) for row in world.audited("ida")]
    assert sorted(results) == ["None"] * 5 + ["rate_limited"] * 45 + ["success"] * 5
    assert world.service.quota(ida).exports == 0
    assert len([*(world.settings.warehouse_root / "exports" / "ida").iterdir()]) == 5
    assert world.holds()
