"""Writing files of the data library's format, whole or broken, and a server that misbehaves on purpose."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

THREE = "F-F_Research_Data_Factors_daily_CSV.zip"
MOMENTUM = "F-F_Momentum_Factor_daily_CSV.zip"
FIVE = "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip"


def text_of(*lines: str, newline: str = "\r\n") -> str:
    return newline.join([*lines, ""])


def zip_of(text: str | bytes, *, member: str = "file.CSV", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(member, text)
    return buffer.getvalue()


def good_files() -> dict[str, bytes]:
    """The three daily files, four days each; momentum starts a day later and lacks a figure."""
    three = text_of(
        "Made from the 202407 CRSP database, using the 202407 CRSP database.",
        "",
        ",Mkt-RF,SMB,HML,RF",
        "20240701,    0.10,   -0.25,   -0.27,   0.009",
        "20240702,    0.48,   -0.05,   -0.68,  -0.021",
        "20240703,    1.00,    0.00,  -99.99,   0.021",
        "20240705,   -1.52,   -0.35,   -1.32,   0.021",
        "",
        "Copyright 2024 Kenneth R. French",
    )
    momentum = text_of(
        "Momentum.", "", ",Mom   ", "20240702,   0.56", "20240703, -99.990", "20240705,  -999", "20240708, 3.0"
    )
    five = text_of(
        ",Mkt-RF,SMB,HML,RMW,CMA,RF",
        "20240702,  0.48,  -0.30,  -0.68,   0.03,   0.13,  -0.021",
        "20240703,  1.00,   0.07,   0.11,  -0.04,   0.58,   0.021",
        "20240705, -1.52,  -0.97,  -1.32,   0.44,   1.43,   0.021",
    )
    return {THREE: zip_of(three), MOMENTUM: zip_of(momentum), FIVE: zip_of(five)}


Answer = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def misbehaving_server(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Serve by `answer(handler, number of the request)`; yields the address and the list of paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self, len(asked))

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None) -> None:
    """Answer with a body; a `length` beyond the body's promises more than is sent."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)
