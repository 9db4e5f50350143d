"""`data-platform up`: the Dagster UI with its daemon and code server, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from data_platform.cli.output import say
from data_platform.cli.session import require_administration
from data_platform.governance.engine.confinement import MEND, confinement_report, require_confinement
from data_platform.records.connection import open_records
from data_platform.settings import Settings, load_settings

HOST = "127.0.0.1"


def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the UI.")] = 3000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than this machine's needs DATA_PLATFORM_IDENTITY.")
    ] = HOST,
) -> None:
    """Serve the Dagster UI, with daemon and code server, until Ctrl-C; on this machine only unless told otherwise."""
    settings = load_settings()
    require_administration(settings)
    look_at_the_sandbox(settings)
    # Dagster takes a second to import, and the other commands do without it.
    from data_platform.orchestration.serving import serve  # noqa: PLC0415 - see above
    from data_platform.orchestration.webserver.asking import require_listening  # noqa: PLC0415 - see above

    require_listening(settings, host)
    with open_records(settings) as records:
        say(f"Starting; the UI will be at http://{host}:{port} — stop with Ctrl-C.")
        serve(settings, records.databases, host=host, port=port)
    say("Stopped.")


def look_at_the_sandbox(settings: Settings) -> None:
    """Say loudly where the kernel can't confine the processes of queries; refuse to start where it must."""
    report = confinement_report()
    if settings.require_sandbox:
        require_confinement(report)
    if not report.complete:
        say(f"WARNING: queries run without their full sandbox: {report}. {MEND}")
