"""A wire between a client and the database server that a test can watch and cut."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path


class Forwarder:
    """Listens on a Unix socket as a database server would and passes bytes both ways.

    `connections` counts who came. The first `drop_first` of them are hung up on at once; while `deaf`, new ones are
    held without an answer. `cut()` ends all without a word, as a power failure at the server does. Of the next
    `cuts` connections that bring more than `cut_after` bytes from the server, each is cut there.
    """

    def __init__(self, target: Path, port: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dpw-", dir="/tmp"))
        self.connections = 0
        self.drop_first = 0
        self.deaf = False
        self.cuts = 0
        self.cut_after = 0
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / f".s.PGSQL.{port}"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Forwarder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.cut()
        shutil.rmtree(self.folder)

    def cut(self) -> None:
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.connections <= self.drop_first:
                client.close()
                continue
            if self.deaf:
                self._open.append(client)
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._target))
            self._open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                if from_server and self.cuts and passed > self.cut_after:
                    self.cuts -= 1
                    source.shutdown(socket.SHUT_RDWR)
                    break
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
