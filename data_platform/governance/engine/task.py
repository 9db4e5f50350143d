"""What is asked of the worker process and what comes back: plain values, written as JSON between the two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from data_platform.governance.engine.limits import EngineLimits


@dataclass(frozen=True, slots=True)
class QueryTask:
    """One statement over `views`: view name to the Parquet files behind it.

    `skip` rows are passed over, `keep` are returned, and rows are counted on up to `limits.count_rows`; a `dry` run
    stops before the first row. `dataset` only names what was asked for in error texts. The clock of
    `timeout_seconds` runs in the caller. `parameters` are as `parameters.encode` wrote them. With
    `require_sandbox` nothing runs in a process that the kernel does not confine.
    """

    sql: str
    dataset: str
    views: Mapping[str, tuple[str, ...]]
    skip: int
    keep: int
    timeout_seconds: float
    limits: EngineLimits
    parameters: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    dry: bool = False
    require_sandbox: bool = False

    def to_bytes(self) -> bytes:
        """The task as UTF-8 JSON."""
        return json.dumps(
            {
                "sql": self.sql,
                "dataset": self.dataset,
                "views": {name: list(files) for name, files in self.views.items()},
                "skip": self.skip,
                "keep": self.keep,
                "timeout_seconds": self.timeout_seconds,
                "limits": self.limits.to_json(),
                "parameters": dict(self.parameters),
                "dry": self.dry,
                "require_sandbox": self.require_sandbox,
            }
        ).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> QueryTask:
        """The task that `to_bytes` wrote."""
        document = json.loads(raw)
        document["views"] = {name: tuple(files) for name, files in document["views"].items()}
        document["limits"] = EngineLimits.from_json(document["limits"])
        return cls(**document)


@dataclass(frozen=True, slots=True)
class EnginePage:
    """One page of a result.

    `columns` are name and DuckDB type. `rows_counted` is the whole result's row count when `counted_all`, else how
    far counting went before it was given up. `tables` are the permitted tables that the statement names, sorted;
    `canonical` is the text that ran.
    """

    table: pa.Table
    columns: tuple[tuple[str, str], ...]
    rows_counted: int
    counted_all: bool
    tables: tuple[str, ...] = ()
    canonical: str = ""


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """What a statement would return; `estimated_rows` is the planner's guess, None where it makes none."""

    columns: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    canonical: str
    estimated_rows: int | None
