"""The command's first lines: everything else is imported under our eyes, so that Ctrl-C is tidy from the start."""

from __future__ import annotations

import signal
import sys


def run() -> None:
    """Import the command and run it."""
    try:
        from data_platform.cli.main import run as run_command  # noqa: PLC0415 - imports take a second
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; nothing was done.\n")
        sys.exit(128 + signal.SIGINT)
    run_command()
