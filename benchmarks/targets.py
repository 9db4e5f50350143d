"""What the warehouse promises beside its peers, judged on one run's figures. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from benchmarks.commits import CommitTimes
from benchmarks.samples import Samples

READ_OVERHEAD: Final = 1.05
ARCTIC_WRITES: Final = 1.3
COMMIT_GROWTH: Final = 1.5
_WRITES: Final = ("write ten years", "replace one year")
_READS: Final = ("read all, latest", "read all, as of", "read one year, latest", "read one year, as of")


class Target(BaseModel):
    """One promise: the figure must not be above the limit."""

    name: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.figure <= self.limit


def judge(samples: Samples, megabytes: Mapping[str, float], commits: Mapping[str, CommitTimes]) -> list[Target]:
    """Every promise whose two sides were measured."""
    targets: list[Target] = []

    def promise(name: str, figure: float | None, limit: float) -> None:
        if figure is not None:
            targets.append(Target(name=name, figure=round(figure, 3), limit=limit))

    for operation in _READS:
        promise(f"{operation} / DuckDB on the same files", samples.ratio(operation, "ours", "files"), READ_OVERHEAD)
    for operation in _WRITES:
        for peer, limit in (("delta", 1.0), ("delta-zstd", 1.0), ("pyiceberg", 1.0), ("arcticdb", ARCTIC_WRITES)):
            promise(f"{operation} / {peer}", samples.ratio(operation, "ours", peer), limit)
    if "ours" in commits:
        promise(f"commit at {commits['ours'].last:,} / at 10", commits["ours"].growth, COMMIT_GROWTH)
    for peer in ("delta", "delta-zstd"):
        if peer in megabytes and "ours" in megabytes:
            promise(f"storage / {peer}", megabytes["ours"] / megabytes[peer], 1.0)
    return targets
