"""`data-platform retention`: replace the files of old versions by deltas from which they can be rebuilt."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.session import open_session, require_administration
from data_platform.governance.housekeeping import retire_versions
from data_platform.settings import load_settings
from data_platform.warehouse import Warehouse
from data_platform.warehouse.retention.applying import RetentionReport, plan_retention
from data_platform.warehouse.retention.deciding import KEEP_DAYS


def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    days: Annotated[int, typer.Option(min=1, help="Days for which a superseded version's files are kept.")] = KEEP_DAYS,
    as_json: Json = False,
) -> None:
    """Drop the files of versions that expired, for administrators. Such versions stay readable: they are rebuilt.

    The latest version, and every version that a snapshot or a pin names, keeps its files.
    """
    if dry_run:
        settings = load_settings()
        require_administration(settings)
        _print(plan_retention(Warehouse(settings.warehouse_root), keep_days=days), as_json=as_json)
        return
    columns = (TextColumn("Securing rows"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
    with open_session() as session, bar as progress:
        task = progress.add_task("", total=None)
        report = retire_versions(
            session.records,
            session.warehouse,
            session.user,
            keep_days=days,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    _print(report, as_json=as_json)


def _print(report: RetentionReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_table(
        "Versions",
        ["Table", "Version", "Published (UTC)", "Superseded (UTC)", "Files", "Why"],
        [
            [
                verdict.table,
                verdict.version,
                f"{verdict.published_at:%Y-%m-%d %H:%M}",
                f"{verdict.superseded_at:%Y-%m-%d %H:%M}" if verdict.superseded_at else None,
                "expired" if verdict.expires else "kept",
                verdict.reason,
            ]
            for verdict in report.verdicts
        ],
    )
    if report.files:
        print_table(
            "Files that only expired versions need",
            ["Table", "Partition", "File", "Bytes", "Delta bytes", "Outcome"],
            [
                [
                    file.table,
                    file.partition,
                    file.sha256[:12],
                    file.bytes,
                    file.delta_bytes,
                    f"{file.outcome}: {file.reason}" if file.reason else file.outcome,
                ]
                for file in report.files
            ],
        )
    if not report.files_dropped:
        say(f"{report.versions_expired} versions expired; no file is left that only they need.")
        return
    would = "would be dropped" if report.dry_run else "are in the trash; `data-platform gc` deletes them after 7 days"
    size = f"{report.bytes_freed / 2**20:,.1f} MiB"
    deltas = "" if report.dry_run else f" Their deltas take {report.delta_bytes / 2**20:,.1f} MiB."
    if report.files_secured:
        secured = "would get" if report.dry_run else "got"
        say(f"{report.files_secured} superseded files that stay {secured} a delta, should their bytes go bad.")
    say(f"{report.versions_expired} versions expired; {report.files_dropped} files ({size}) {would}.{deltas}")
