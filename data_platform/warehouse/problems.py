"""What verification can find, and what depends on it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

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
