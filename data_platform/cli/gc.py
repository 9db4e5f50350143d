"""`data-platform gc`: remove what nothing needs."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.cli.options import Json
from data_platform.cli.output import print_json, print_table, say, stderr
from data_platform.cli.session import open_session, require_administration
from data_platform.governance.housekeeping import collect_garbage
from data_platform.settings import load_settings
from data_platform.warehouse import Warehouse
from data_platform.warehouse.retention.sweep import SweepReport, plan_sweep


def gc(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what crashes, rebuilding and retention left behind, for administrators.

    Files that no version names go to the trash first; the trash is emptied after 7 days.
    """
    if dry_run:
        settings = load_settings()
        require_administration(settings)
        _print(plan_sweep(Warehouse(settings.warehouse_root)), as_json=as_json)
        return
    with open_session() as session, stderr.status("Looking for what nothing needs"):
        report = collect_garbage(session.records, session.warehouse, session.user)
    _print(report, as_json=as_json)


def _print(report: SweepReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    if not report.garbage:
        say("There is nothing to remove.")
        return
    print_table(
        "Garbage",
        ["Kind", "Name", "Bytes", "Kept because"],
        [[item.kind, item.name[:40], item.bytes, item.kept or None] for item in report.garbage],
    )
    verb = "would be removed" if report.dry_run else "were removed"
    say(f"{report.files_removed} files {verb}; {report.bytes_freed / 2**20:,.1f} MiB of disk space.")
