"""All metrics in Prometheus's text format, for those who may see figures of every dataset and names of accounts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from typing_extensions import override

from data_platform.catalog import DATASETS, TABLES
from data_platform.errors import DatabaseUnavailableError
from data_platform.governance.permissions import Action, User, is_administrator, require
from data_platform.metrics.collecting import Counted, Family, gauge
from data_platform.metrics.declared import OTHER
from data_platform.records import alerts
from data_platform.records.connection import Records
from data_platform.records.reaching import reach
from data_platform.records.scope import PLATFORM, Scope
from data_platform.settings import Settings
from data_platform.sync.state import table_state
from data_platform.warehouse.warehouse import Warehouse

_SCOPE = Scope.system("metrics")
_LAST_SUCCESS = "data_sync_last_success_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """The text, and the content type that says in which version of the format it is."""

    text: bytes
    content_type: str


def require_metrics(user: User) -> None:
    """Let administrators pass, and those who may view the syncs of every dataset.

    Raises:
        NotPermittedError: for everyone else, naming the permission that is missing.
    """
    if is_administrator(user):
        return
    require(user, Action.VIEW_DATA_SYNC)
    for dataset in DATASETS:
        require(user, Action.VIEW_DATA_SYNC, dataset)


def metrics_page(
    settings: Settings, records: Records, warehouse: Warehouse, user: User, accept: str = ""
) -> MetricsPage:
    """Everything that was counted and can be read now, in the format that `accept` asks for.

    It is made while the records are away, too: `data_records_up` is 0 then.

    Raises:
        NotPermittedError: as `require_metrics` does.
    """
    require_metrics(user)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(Counted(settings.home), records, warehouse))
    encoder, content_type = choose_encoder(accept)
    return MetricsPage(encoder(registry), content_type)


class _Read(Collector):
    """What was counted, and beside it what the warehouse and the records say at this moment."""

    def __init__(self, counted: Counted, records: Records, warehouse: Warehouse) -> None:
        self._counted = counted
        self._records = records
        self._warehouse = warehouse

    @override
    def collect(self) -> Iterator[Family]:
        for family in self._counted.collect():
            yield self._with_published(family) if family.name == _LAST_SUCCESS else family
        yield self._quarantine()
        yield from self._open_alerts()

    def _with_published(self, counted: Family) -> GaugeMetricFamily:
        """A table's last success: what was counted, or its newest version where that is later, as after a restore."""
        latest = {(s.labels["dataset"], s.labels["table"]): float(s.value) for s in counted.samples}
        for table in TABLES.values():
            published = table_state(self._warehouse, table).last_sync
            if published is not None:
                names = table.dataset, table.name
                latest[names] = max(latest.get(names, 0.0), published.astimezone(dt.UTC).timestamp())
        family = gauge(_LAST_SUCCESS)
        for names, moment in latest.items():
            family.add_metric(names, moment)
        return family

    def _quarantine(self) -> GaugeMetricFamily:
        kept = Counter(
            entry.table if entry.table in TABLES else OTHER for entry in self._warehouse.quarantine.entries(None)
        )
        family = gauge("data_quarantine_entries")
        for table in (*TABLES, OTHER):
            family.add_metric([table], kept[table])
        return family

    def _open_alerts(self) -> Iterator[GaugeMetricFamily]:
        up, family = gauge("data_records_up"), gauge("data_quality_open_alerts")
        try:
            for (dataset, severity), count in _count_open(self._records).items():
                family.add_metric([dataset, severity], count)
        except DatabaseUnavailableError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield family


def _count_open(records: Records) -> dict[tuple[str, str], int]:
    found = {(name, severity): 0 for name in (*DATASETS, PLATFORM) for severity in ("error", "warning")}
    # Asked once without the pool, which would wait longer for a server that is away than a scraper does.
    with reach(records.databases.service_url):
        pass
    with records.transaction(_SCOPE) as connection:
        for dataset in (*DATASETS, PLATFORM):
            for group in alerts.by_metric(connection, dataset=dataset, acknowledged=False):
                found[dataset, group.severity] += group.alerts
    return found
