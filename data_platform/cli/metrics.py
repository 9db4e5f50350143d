"""`data-platform metrics`: what the platform counted, for a scraper that reads files."""

from __future__ import annotations

import sys

from data_platform.cli.session import open_session


def metrics() -> None:
    """Print all metrics in Prometheus's text format: the page /metrics, for a node exporter's text file.

    For administrators and those who may view the syncs of every dataset.
    """
    from data_platform.governance.metrics_page import metrics_page  # noqa: PLC0415 - the library takes its time

    with open_session() as session:
        page = metrics_page(session.settings, session.records, session.warehouse, session.user)
    sys.stdout.write(page.text.decode())
