"""A folder served over HTTP on loopback: the demo's data library travels the same road as the real one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's parameter name
        """Keep request lines out of standard error."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def serve_folder(folder: Path) -> Generator[str]:
    """Serve a folder's files on 127.0.0.1 and a free port; yields the base address, which ends with a slash."""
    server = _Server(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-site", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
