"""Samples of what analysts write and of what attackers try, where such samples lie beside the checkout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_platform.errors import PlatformError
from data_platform.governance.engine.engine import QueryEngine
from data_platform_tests.governance.conftest import Ask
from data_platform_tests.governance.market import crsp_rows, factor_rows, write_parquet

RESOURCE_SECONDS = 0.4
WITHOUT_EFFECT = frozenset({"regex_redos"})
"""DuckDB's regular expressions take linear time, so this one simply answers."""


def samples(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def test_what_analysts_write_is_answered(ask: Ask, shared_data: Path) -> None:
    refused: list[tuple[str, str]] = []
    for sample in samples(shared_data / "sql" / "queries_sample.jsonl"):
        try:
            ask(sample["sql"], tables=tuple(sample["permitted"]))
        except PlatformError as error:
            refused.append((sample["sql"], str(error)))
    assert refused == []


def test_attacks_are_refused_or_harmless(engine: QueryEngine, shared_data: Path, tmp_path: Path) -> None:
    files = {
        "{CRSP}": write_parquet(crsp_rows(100), tmp_path / "crsp" / "a.parquet"),
        "{FF}": write_parquet(factor_rows(100), tmp_path / "ff" / "a.parquet"),
        "{OTHER}": write_parquet(pa.table({"tic": ["SECRET1"], "atq": [1.0]}), tmp_path / "comp" / "a.parquet"),
    }
    (tmp_path / "crsp" / "link.parquet").symlink_to(files["{OTHER}"])
    (tmp_path / "secret.txt").write_text("SECRET2")
    places = {
        **files,
        "{LINK}": str(tmp_path / "crsp" / "link.parquet"),
        "{TXT}": str(tmp_path / "secret.txt"),
        "{CAT}": str(tmp_path / "catalog.duckdb"),
        "{TMP}": str(tmp_path / "tmp"),
        "{OUT}": str(tmp_path / "out"),
        "{DIR}": str(tmp_path),
    }
    views = {"crsp_daily": (files["{CRSP}"],), "ff_factors_daily": (files["{FF}"],)}
    before = contents(tmp_path)
    wrong: list[tuple[str, str]] = []
    for attack in samples(shared_data / "sql" / "attacks_sample.jsonl"):
        sql = text_of(attack)
        for placeholder, path in places.items():
            sql = sql.replace(placeholder, path)
        runtime = attack["stage"] == "runtime"
        try:
            page = engine.run(
                sql,
                {name: views[name] for name in attack["permitted"]},
                dataset="crsp",
                timeout_seconds=RESOURCE_SECONDS if runtime else 20.0,
                page=1,
                page_size=100,
            )
            outcome, said = "allow", str(page.table.to_pylist())
        except PlatformError as error:
            outcome, said = "refuse", str(error)
        as_expected = outcome == attack["expected"] or attack.get("either_ok") or attack.get("note") in WITHOUT_EFFECT
        if not as_expected or "SECRET1" in said or "SECRET2" in said or str(tmp_path) in said:
            wrong.append((attack["id"], said))
    assert wrong == []
    assert contents(tmp_path) == before


def text_of(attack: dict[str, Any]) -> str:
    if attack["sql"] is not None:
        return str(attack["sql"])
    allowed = {"str": str, "range": range, "__builtins__": {}}
    return str(eval(attack["sql_py"], allowed))  # noqa: S307 - the samples' own way of writing long texts


def contents(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
