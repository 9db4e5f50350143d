"""`data-platform alerts list|ack`: what looked wrong, and settling it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services
from data_platform.governance.quality import MOST_ALERTS
from data_platform.governance.quality_dto import AlertGroupDTO, AnomalyAlertDTO

app = typer.Typer(help="Alerts of data quality: what looked wrong, and who settled it.", no_args_is_help=True)

_SINGLY: Final = 100
_GROUPS: Final = 10


class State(StrEnum):
    """Which alerts to list."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ANY = "any"


@app.callback()
def group() -> None:
    """Alerts of data quality: what looked wrong, and who settled it."""


@app.command("list")
def list_alerts(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only of this dataset.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only error or warning.")] = None,
    state: Annotated[State, typer.Option(help="Which to list.")] = State.OPEN,
    every: Annotated[
        bool, typer.Option("--all", help=f"Each one singly (the newest {MOST_ALERTS:,}), however many there are.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List alerts, newest first; more than a hundred are counted by metric, unless --all is given."""
    acknowledged = {State.OPEN: False, State.ACKNOWLEDGED: True, State.ANY: None}[state]
    limit = MOST_ALERTS if every else _SINGLY + 1
    with open_services() as services:
        user, service = services.user, services.quality
        found = service.get_anomaly_alerts(user, severity, acknowledged, dataset=dataset, limit=limit)
        grouped = len(found) > _SINGLY and not every
        groups = service.get_alert_groups(user, severity, acknowledged, dataset=dataset) if grouped else []
    if as_json:
        print_json(groups if grouped else found)
    elif grouped:
        _print_groups(groups)
    elif found:
        _print_alerts(found)
    else:
        say(f"There are no {'' if state is State.ANY else state.value + ' '}alerts.")


@app.command()
def ack(
    alert_id: Annotated[int, typer.Argument(metavar="ALERT", help="As `alerts list` numbers it.")],
    *,
    reason: Annotated[str, typer.Option(help="What was found, and why that settles it; kept in the audit.")],
    as_json: Json = False,
) -> None:
    """Settle an alert. Whoever is first settles it; later ones are shown that acknowledgment."""
    with open_services() as services:
        kept = services.quality.acknowledge_alert(services.user, alert_id, reason)
    if as_json:
        print_json(kept)
    elif kept.was_first:
        say(f"Alert {alert_id} ({kept.metric}) is settled.")
    else:
        when = f"{kept.acknowledged_at:%Y-%m-%d %H:%M} UTC"
        say(f"Alert {alert_id} was settled by {kept.acknowledged_by} on {when}: {kept.reason}")


def _print_alerts(found: list[AnomalyAlertDTO]) -> None:
    print_table(
        "Alerts",
        ["Alert", "When (UTC)", "Severity", "Table", "Partition", "Metric", "What", "Settled by"],
        [
            [
                str(each.id),
                f"{each.created_at:%Y-%m-%d %H:%M}",
                each.severity,
                each.table_name,
                each.partition,
                each.metric,
                each.message,
                each.acknowledged_by,
            ]
            for each in found
        ],
        essential=("Table", "What"),
    )


def _print_groups(groups: list[AlertGroupDTO]) -> None:
    print_table(
        "Alerts by metric",
        ["Metric", "Severity", "Alerts", "Tables", "Newest (UTC)"],
        [
            [each.metric, each.severity, each.alerts, each.tables, f"{each.newest:%Y-%m-%d %H:%M}"]
            for each in groups[:_GROUPS]
        ],
    )
    rest = f" {len(groups) - _GROUPS} more metrics are left off." if len(groups) > _GROUPS else ""
    say(f"These are more than {_SINGLY} alerts.{rest} Each singly: data-platform alerts list --all")
