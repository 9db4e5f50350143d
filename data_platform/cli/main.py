"""The entry point: the commands, and what happens to an error."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import version
from typing import Annotated, Final, NoReturn

import typer
from rich.markup import escape

from data_platform.cli import (
    alert_delivery,
    alerts,
    audit,
    backup,
    coverage,
    database,
    datasets,
    demo,
    diff,
    doctor,
    export,
    gc,
    locks,
    logs,
    metrics,
    pins,
    quality,
    quarantine,
    queries,
    query,
    retention,
    rollback,
    schedule,
    snapshots,
    status,
    sync,
    up,
    users,
    verify,
    versions,
)
from data_platform.cli.output import stderr
from data_platform.cli.system_errors import explain
from data_platform.errors import PlatformError

app = typer.Typer(
    name="data-platform",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        typer.echo(f"data-platform {version('data-platform')}")
        raise typer.Exit


@app.callback()
def group(
    *,
    _: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Licensed research data as validated, versioned Parquet, steered by Dagster and queried through one door."""


app.command()(demo.demo)
app.command()(up.up)
app.command()(sync.sync)
app.command()(status.status)
app.command()(versions.versions)
app.command()(verify.verify)
app.command()(query.query)
app.command()(export.export)
app.add_typer(queries.app, name="queries")
app.command()(datasets.datasets)
app.command()(datasets.preview)
app.command()(logs.logs)
app.command()(metrics.metrics)
app.command()(quality.quality)
app.command()(coverage.coverage)
app.command()(doctor.doctor)
app.command()(rollback.rollback)
app.command()(diff.diff)
app.command()(retention.retention)
app.command()(gc.gc)
app.add_typer(schedule.app, name="schedule")
app.add_typer(snapshots.app, name="snapshot")
app.add_typer(pins.app, name="pin")
app.add_typer(locks.app, name="lock")
app.add_typer(quarantine.app, name="quarantine")
alerts.app.add_typer(alert_delivery.app)
app.add_typer(alerts.app, name="alerts")
app.add_typer(users.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(backup.app, name="backup")
app.add_typer(database.app, name="db")

_INTERRUPTED: Final = 128 + signal.SIGINT


def run() -> None:
    """Run the command. A `PlatformError` becomes one message and its exit code; anything else is a bug of ours."""
    # Ended from outside, we leave as tidily as after Ctrl-C: locks, staging and the shared server are given back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except BrokenPipeError:
        # The reader of our output has left; there is nobody to tell, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except PlatformError as error:
        fail(error.message, error.hint, error.exit_code)
    except OSError as error:
        # A folder that is a file, a disk that is gone or full: the system's own words, and where.
        fail(*explain(error), 1)
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            published = sys.argv[1:2] in (["sync"], ["demo"])
            stderr.print("Interrupted; what was published before stays." if published else "Interrupted.")
        raise


def fail(message: str, hint: str | None, code: int) -> NoReturn:
    """Say what went wrong on standard error, and end."""
    stderr.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)
    if hint:
        stderr.print(escape(hint), soft_wrap=True)
    sys.exit(code)
