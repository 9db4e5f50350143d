"""What verification can find, and what depends on it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict

from data_platform.errors import ChecksumMismatchError
from data_platform.warehouse import layout
from data_platform.warehouse.deltas.rebuild import delta_problem
from data_platform.warehouse.integrity import hash_file
from data_platform.warehouse.manifest_form import load_manifest
from data_platform.warehouse.schemas import parse_schema
from data_platform.warehouse.store import LocalStore
from data_platform.warehouse.version_sets import parse_set

ProblemKind = Literal[
    "manifest",
    "version_gap",
    "broken_chain",
    "missing_file",
    "changed_file",
    "delta",
    "schema",
    "snapshot",
    "pin",
    "other_files",
]


class Problem(BaseModel):
    """One bad object, named by its key in the warehouse, and the versions, tags and pins that need it."""

    model_config = ConfigDict(frozen=True)

    table: str
    kind: ProblemKind
    key: str
    partition: str | None = None
    sha256: str | None = None
    versions: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    message: str


class VerifyReport(BaseModel):
    """What was checked and what is wrong; `table` is empty in the report on tags and pins."""

    model_config = ConfigDict(frozen=True)

    table: str
    versions_checked: int
    files_checked: int
    bytes_checked: int
    problems: tuple[Problem, ...]


def is_still_wrong(store: LocalStore, problem: Problem) -> bool:
    """Look at a problem's object again: time has passed since it was found, and someone may have put it right."""
    if problem.kind in {"missing_file", "changed_file"}:
        path = store.path(layout.blob(problem.sha256 or ""))
        try:
            return hash_file(path) != problem.sha256
        except OSError:
            return True
    if problem.kind == "delta":
        return delta_problem(store, problem.sha256 or "") is not None
    try:
        if problem.kind in {"manifest", "version_gap"}:
            load_manifest(store, problem.table, problem.versions[0])
        elif problem.kind == "schema":
            parse_schema(store.get(problem.key), name=problem.key)
        elif problem.kind in {"snapshot", "pin"}:
            parse_set(store.get(problem.key), PurePosixPath(problem.key).stem, problem.kind)
    except (ChecksumMismatchError, FileNotFoundError):
        return True
    return problem.kind in {"broken_chain", "other_files"}
