"""What was counted, in the terms of `prometheus_client`: families of samples, each declared metric among them."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from data_platform.catalog import TABLES
from data_platform.metrics.declared import METRICS, Kind, Metric
from data_platform.metrics.folding import FOLDER, read_sums

Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_Numbers: TypeAlias = Mapping[tuple[str, ...], Mapping[str, float]]
"""By the values of labels: what was counted by part."""


class Counted(Collector):
    """Everything that the processes of a home counted, those that are gone included."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    @override
    def collect(self) -> Iterator[Family]:
        readable = gauge("data_metrics_readable")
        try:
            sums = read_sums(self._folder)
        except OSError:
            # Better no figure than a wrong one, which would look like a counter that went down.
            readable.add_metric([], 0)
            yield readable
            return
        readable.add_metric([], 1)
        yield readable
        yield from families(sums)


def families(sums: Mapping[str, float]) -> Iterator[Family]:
    """Every counted metric, with zeros where all that could be counted is known beforehand. Pure."""
    found: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for key, value in sums.items():
        name, labels, part = json.loads(key)
        metric = METRICS.get(name)
        if metric is not None and len(labels) == len(metric.labels):
            found[name][tuple(labels)][part] = value
    for metric in METRICS.values():
        if metric.kind is not Kind.READ:
            yield _family(metric, {**_zeros(metric), **found[metric.name]})


def gauge(name: str) -> GaugeMetricFamily:
    """An empty family of a declared gauge."""
    metric = METRICS[name]
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)


def _zeros(metric: Metric) -> dict[tuple[str, ...], Mapping[str, float]]:
    """The series that are known before anything is counted: how much a counter rose is not seen in its first figure."""
    closed = metric.closed or {}
    if metric.kind is Kind.LATEST or (metric.kind is Kind.HISTOGRAM and metric.labels):
        return {}
    known: dict[tuple[str, ...], Mapping[str, float]] = {}
    for table in TABLES.values() if "table" in metric.labels else (None,):
        names = {} if table is None else {"dataset": (table.dataset,), "table": (table.name,)}
        choices = [closed.get(label, names.get(label, ())) for label in metric.labels]
        known |= {labels: {"": 0.0} for labels in itertools.product(*choices)}
    return known


def _family(metric: Metric, numbers: _Numbers) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, parts in numbers.items():
            histogram.add_metric(labels, _cumulated(metric, parts), parts.get("sum", 0.0))
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, parts in numbers.items():
        family.add_metric(labels, parts.get("", 0.0))
    return family


def _cumulated(metric: Metric, parts: Mapping[str, float]) -> list[tuple[str, float]]:
    bounds = [*(str(float(bound)) for bound in metric.buckets), "+Inf"]
    counts = itertools.accumulate(parts.get(bound, 0.0) for bound in bounds)
    return list(zip(bounds, counts, strict=True))
