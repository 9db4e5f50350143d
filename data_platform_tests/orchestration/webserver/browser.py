"""A headless Chromium, told what to do over its DevTools protocol; and a server of a world for it to look at."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp
from websockets.sync.client import ClientConnection, connect


def chromium() -> str:
    """The browser's program; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium here: apt-get install chromium")
    return found


class Browser:
    """One window."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._numbers = itertools.count(1)

    def tell(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 - the protocol's answer
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(timeout=90))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the page answers
        result = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, address: str, cookie: str) -> None:
        self.tell("Network.setCookie", name="data_platform_token", value=cookie, url=address)
        self.tell("Page.navigate", url=address)

    def until(self, script: str, what: str, seconds: float = 120) -> Any:  # noqa: ANN401 - as above
        """Wait until the page answers with something that is true."""
        deadline = time.monotonic() + seconds
        while not (answer := self.evaluate(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: {str(self.evaluate('document.body?.innerText'))[:2_000]}")
            time.sleep(0.2)
        return answer

    def point_at(self, element: str) -> None:
        """Move the mouse to the middle of an element, given as a script."""
        x, y = self.evaluate(
            f"(() => {{ const r = {element}.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.tell("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
        self.tell("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    process = subprocess.Popen(
        [
            chromium(),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1400,1000",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port_file = folder / "profile" / "DevToolsActivePort"
        _wait(port_file.exists, 120, "the browser never started")
        _wait(lambda: bool(port_file.read_text().strip()), 60, "the browser named no port")
        port = port_file.read_text().split()[0]
        pages = httpx.get(f"http://127.0.0.1:{port}/json/list", timeout=60).json()
        page = next(each for each in pages if each["type"] == "page")
        with connect(page["webSocketDebuggerUrl"], max_size=None) as line:
            yield Browser(line)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The application at an address of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", proxy_headers=False))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        _wait(lambda: server.started, 60, "the server never started")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
