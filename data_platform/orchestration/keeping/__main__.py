"""`python -m data_platform.orchestration.keeping`: what `data-platform up` starts, the head of a group of processes.

Does what `dagster dev` of 1.13.27 does, with our webserver in the place of its own: one code server that can be
reloaded, whose address daemon and webserver learn from a workspace file.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from data_platform.errors import PlatformError, UsageError
from data_platform.orchestration.keeping.child import Child
from data_platform.records.reaching import why_unreachable

_POLL_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 15.0


def main() -> int:
    """Keep everything running until interrupted; an error that another start would not mend ends it with 2.

    Killed, our parent can't end us: nobody would keep the database alive any more, and we would hold the port.
    """
    parent = os.getppid()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    chosen = parser.parse_args()
    # The same tidy end for both.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as folder:
            address = ["--host", chosen.host, "--port", str(chosen.port)]
            _keep_everything(Path(folder) / "workspace.yaml", address, parent)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return UsageError.exit_code
    return 0


def _keep_everything(workspace: Path, address: Sequence[str], parent: int) -> None:
    # Dagster warns of previews; that is nothing for whoever starts it.
    python = [sys.executable, "-W", "ignore", "-m"]
    of = ["--workspace", str(workspace)]
    webserver = Child(
        "The webserver", [*python, "data_platform.orchestration.webserver", *of, *address], excused=_database_is_away
    )
    daemon = Child("The daemon", [*python, "dagster._daemon", "run", *of], excused=_database_is_away)
    try:
        # It imports for seconds, and then waits for the code server as we do.
        webserver.look()
        _keep_with_code(workspace, [webserver, daemon], parent)
    finally:
        _end([webserver, daemon])


def _keep_with_code(workspace: Path, children: Sequence[Child], parent: int) -> None:
    import dagster as dg  # noqa: PLC0415 - the webserver starts meanwhile
    from dagster._utils.log import configure_loggers  # noqa: PLC0415 - as above

    from data_platform.orchestration.keeping.code_server import code_server  # noqa: PLC0415 - as above

    configure_loggers(formatter="colored", log_level="INFO")
    with dg.DagsterInstance.get() as instance, code_server(instance, workspace):
        try:
            while os.getppid() == parent:
                for child in children:
                    child.look()
                time.sleep(_POLL_SECONDS)
        finally:
            # Before the code server ends, of which they would complain.
            _end(children)


def _database_is_away() -> str | None:
    return why_unreachable(os.environ["DATA_PLATFORM_DAGSTER_URL"])


def _end(children: Sequence[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.end(_GRACE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
