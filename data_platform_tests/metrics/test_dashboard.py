"""The dashboard and the runbook name only metrics, labels and routes that exist; the dashboard shows every metric."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from data_platform.metrics.declared import METRICS, Kind, Metric
from data_platform.orchestration.webserver.metrics import PATH
from data_platform.settings import PROJECT_ROOT

DASHBOARD: dict[str, Any] = json.loads((PROJECT_ROOT / "docs" / "grafana" / "research-data.json").read_text())
RUNBOOK = (PROJECT_ROOT / "docs" / "runbooks" / "metrics.md").read_text()
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
TARGETS = [
    pytest.param(target["expr"], target["legendFormat"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel.get("targets", ())
]
_NAME = re.compile(r"\bdata_[a-z_]+\b")
_SELECTOR = re.compile(r"\b(data_[a-z_]+)\{([^}]*)\}")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")
_SUFFIXES = ("_bucket", "_sum", "_count")


def _metric(name: str) -> Metric:
    """The metric that a name of PromQL is of; a histogram is only asked for by one of its series."""
    metric = METRICS.get(name)
    if metric is not None and metric.kind is not Kind.HISTOGRAM:
        return metric
    for suffix in _SUFFIXES:
        histogram = METRICS.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if histogram is not None and histogram.kind is Kind.HISTOGRAM:
            return histogram
    raise AssertionError(f"{name} is no metric of ours")


@pytest.mark.parametrize(("expression", "legend"), TARGETS)
def test_an_expression_names_metrics_and_labels_that_exist(expression: str, legend: str) -> None:
    names = _NAME.findall(expression)
    assert names
    assert expression.count("(") == expression.count(")")
    labels = [{*_metric(name).labels, *(("le",) if name.endswith("_bucket") else ())} for name in names]
    for name, selector in _SELECTOR.findall(expression):
        for label, wanted in re.findall(r'(\w+)(?:=~?|!=|!~)"([^"]*)"', selector):
            assert label in _metric(name).labels
            assert all(re.fullmatch(r"[a-z_]+", value) for value in wanted.split("|"))
    grouped = {label.strip() for group in _GROUPED.findall(expression) for label in group.split(",")}
    assert all(grouped <= each for each in labels)
    assert set(re.findall(r"{{(\w+)}}", legend)) <= grouped - {"le"}
    # What only grows is shown by how fast it does, whatever is restarted meanwhile.
    for name in names:
        if _metric(name).kind in {Kind.COUNTER, Kind.HISTOGRAM}:
            assert re.search(rf"\b(rate|increase)\({name}\b", expression), name


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {_metric(name).name for expression in TARGETS for name in _NAME.findall(str(expression.values[0]))}
    assert shown == set(METRICS)


def test_panels_have_a_place_of_their_own_and_say_what_they_show() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"].endswith(".")


def test_the_runbook_names_the_route_and_metrics_that_exist() -> None:
    (block,) = re.findall(r"^```yaml\n# prometheus.yml\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(block)["scrape_configs"]
    assert (job["metrics_path"], job["authorization"]["type"]) == (PATH, "Bearer")
    expressions = [line.split("`")[1] for line in RUNBOOK.splitlines() if line.startswith("| `") and " 0" in line]
    assert len(expressions) >= 5
    for expression in expressions:
        for name in _NAME.findall(expression):
            assert _metric(name)
        for name, label in re.findall(r"\b(data_[a-z_]+)\{(\w+)", expression):
            assert label in _metric(name).labels
