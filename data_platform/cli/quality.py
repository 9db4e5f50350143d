"""`data-platform quality TABLE`: verdicts, alerts and trends of one table."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

import typer

from data_platform.catalog import find_table
from data_platform.cli.options import Json, TableName
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.services import open_services
from data_platform.governance.quality_dto import AnomalyAlertDTO, QualityTrendDTO, ValidationResultDTO

_VALIDATORS: Final = ("row_count", "null_pct", "schema", "date_continuity", "contract", "checksum", "anomaly")
_MOST_MISSING: Final = 10


def quality(
    table: TableName,
    *,
    days: Annotated[int, typer.Option(help="How many days of trends.")] = 30,
    limit: Annotated[int, typer.Option(help="How many of the newest verdicts.")] = 300,
    as_json: Json = False,
) -> None:
    """Show how a table's partitions did: the verdicts of each, open alerts, and trends."""
    found = find_table(table)
    with open_services() as services:
        user, service = services.user, services.quality
        verdicts = service.get_validation_results(user, found.dataset, limit, table)
        alerts = service.get_anomaly_alerts(user, acknowledged=False, dataset=found.dataset, table=table, limit=limit)
        trends = service.get_quality_trends(user, found.dataset, days, table)
    if as_json:
        print_json({"validations": verdicts, "alerts": alerts, "trends": trends})
        return
    if not verdicts:
        say(f"Nothing is known of {table} yet. Run a sync to generate quality data: data-platform sync {table} --all")
        return
    _print_verdicts(table, verdicts)
    _print_alerts(alerts)
    _print_trends(trends)


def _print_verdicts(table: str, verdicts: list[ValidationResultDTO]) -> None:
    """A row for each partition with the newest verdict of each validator, then what was found wrong."""
    newest: dict[str, dict[str, ValidationResultDTO]] = {}
    for verdict in verdicts:
        newest.setdefault(verdict.partition, {}).setdefault(verdict.validation_type, verdict)
    print_table(
        f"Verdicts on {table}",
        ["Partition", "Judged (UTC)", *_VALIDATORS],
        [
            [
                partition,
                f"{max(each.created_at for each in by_type.values()):%Y-%m-%d %H:%M}",
                *(by_type[name].status if name in by_type else None for name in _VALIDATORS),
            ]
            for partition, by_type in sorted(newest.items(), reverse=True)
        ],
    )
    wrong = [
        [partition, name, verdict.status, verdict.expected_value, verdict.actual_value, verdict.error_message]
        for partition, by_type in sorted(newest.items(), reverse=True)
        for name, verdict in by_type.items()
        if verdict.status != "passed"
    ]
    if wrong:
        print_table("Findings", ["Partition", "Check", "Status", "Expected", "Found", "What"], wrong)


def _print_alerts(alerts: list[AnomalyAlertDTO]) -> None:
    if alerts:
        print_table(
            "Open alerts",
            ["Alert", "Severity", "Partition", "Metric", "What"],
            [[str(each.id), each.severity, each.partition, each.metric, each.message] for each in alerts],
        )


def _print_trends(trends: QualityTrendDTO) -> None:
    rates = {each.day: each for each in trends.pass_rates}
    counts = {each.day: each for each in trends.row_counts}
    anomalies: dict[dt.date, int] = {}
    for each in trends.anomalies:
        anomalies[each.day] = anomalies.get(each.day, 0) + each.alerts
    days = sorted({*rates, *counts, *anomalies}, reverse=True)
    if days:
        print_table(
            f"Trends since {trends.since.isoformat()}",
            ["Day", "Versions", "Rows published", "Checks", "Passed", "Alerts"],
            [
                [
                    day.isoformat(),
                    counts[day].versions if day in counts else None,
                    counts[day].rows_published if day in counts else None,
                    rates[day].checks if day in rates else None,
                    f"{rates[day].pass_rate:.1%}" if day in rates else None,
                    anomalies.get(day),
                ]
                for day in days
            ],
        )
    latest = max((each.day for each in trends.null_shares), default=None)
    missing = sorted(
        (each for each in trends.null_shares if each.day == latest and each.null_share > 0),
        key=lambda each: -each.null_share,
    )
    if missing:
        print_table(
            "Missing values",
            ["Column", "Share"],
            [[each.column_name, f"{each.null_share:.1%}"] for each in missing[:_MOST_MISSING]],
        )
    if trends.note:
        say(trends.note)
