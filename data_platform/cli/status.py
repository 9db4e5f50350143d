"""`data-platform status`: every table of the catalog at a glance."""

from __future__ import annotations

import datetime as dt

from data_platform.catalog import TABLES
from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import reading_session
from data_platform.governance.permissions import Action, require
from data_platform.sync.state import table_state
from data_platform.warehouse.conditions import Condition, conditions


def status(*, as_json: Json = False) -> None:
    """Show every table: last sync, rows, versions, validation. Tables that were never synced are listed too."""
    with reading_session() as session:
        require(session.user, Action.VIEW_DATA_SYNC, None)
        states = [
            table_state(session.warehouse, table) for table in TABLES.values() if table.dataset in session.datasets
        ]
        needed = [c for c in conditions(session.warehouse, dt.datetime.now(dt.UTC)) if _may_know(c, session.datasets)]
    if as_json:
        print_json(states)
        return
    print_table(
        "Tables",
        ["Dataset", "Table", "Last sync (UTC)", "Rows", "From", "To", "Partitions", "Validation", "Schema", "Version"],
        [
            [
                state.dataset,
                state.table,
                f"{state.last_sync:%Y-%m-%d %H:%M:%S}" if state.last_sync else None,
                state.row_count,
                state.start_date,
                state.end_date,
                state.partitions,
                state.validation_status,
                state.schema_version,
                state.manifest_version,
            ]
            for state in states
        ],
    )
    if all(state.manifest_version is None for state in states):
        say("No datasets synced yet. Start with: data-platform sync TABLE --all (or try: data-platform demo)")
    for condition in needed:
        say(f"{condition.severity.capitalize()}: {condition.message}. {condition.hint}")


def _may_know(condition: Condition, datasets: frozenset[str]) -> bool:
    return condition.table is None or (condition.table in TABLES and TABLES[condition.table].dataset in datasets)
