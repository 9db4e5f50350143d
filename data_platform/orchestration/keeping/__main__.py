"""`python -m data_platform.orchestration.keeping`: what `data-platform up` starts, the head of a group of processes.

Does what `dagster dev` of 1.13.27 does, with our webserver in the place of its own: one code server that can be
reloaded, whose address daemon and webserver learn from a workspace file.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import dagster as dg
from dagster._utils.log import configure_loggers

from data_platform.errors import PlatformError, UsageError
from data_platform.orchestration.keeping.child import Child
from data_platform.orchestration.keeping.code_server import code_server

_POLL_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 15.0


def main() -> int:
    """Keep everything running until interrupted; an error that another start would not mend ends it with 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    chosen = parser.parse_args()
    # The same tidy end for both.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    configure_loggers(formatter="colored", log_level="INFO")
    try:
        with suppress(KeyboardInterrupt), dg.DagsterInstance.get() as instance, code_server(instance) as workspace:
            # Dagster warns of previews; that is nothing for whoever starts it.
            python = [sys.executable, "-W", "ignore", "-m"]
            of = ["--workspace", str(workspace)]
            address = ["--host", chosen.host, "--port", str(chosen.port)]
            _keep(
                [
                    Child("The webserver", [*python, "data_platform.orchestration.webserver", *of, *address]),
                    Child("The daemon", [*python, "dagster._daemon", "run", *of]),
                ]
            )
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return UsageError.exit_code
    return 0


def _keep(children: Sequence[Child]) -> None:
    try:
        while True:
            for child in children:
                child.look()
            time.sleep(_POLL_SECONDS)
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.end(_GRACE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
