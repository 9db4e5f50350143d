"""`python -m data_platform.orchestration.webserver`: the webserver among the processes of `data-platform up`."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path

from data_platform.errors import PlatformError
from data_platform.orchestration.webserver.running import run_webserver
from data_platform.settings import load_settings


def main() -> int:
    """Serve until interrupted; the exit code is that of the error, if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    chosen = parser.parse_args()
    # The same tidy end for both: uvicorn passes the signal on when it has stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            run_webserver(load_settings(), chosen.workspace, host=chosen.host, port=chosen.port)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
