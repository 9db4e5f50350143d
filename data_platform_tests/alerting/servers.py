"""Servers on 127.0.0.1 that messages are really sent to: web hooks, a mail server, servers that answer too little.

Each says what it was sent, so that a test can count messages and look for what should not be in them.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
PASSWORD = "pa55word-of-the-channel"  # noqa: S105 - of these servers


@dataclass
class Hook:
    """A web hook: what it got, and the status that it answers with; `answers` come first, in their order."""

    port: int
    status: int = 200
    answers: list[int] = field(default_factory=list[int])
    got: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def address(self) -> str:
        """As apprise writes a JSON hook, with a password in it."""
        return f"json://someone:{PASSWORD}@{HOST}:{self.port}/hook/{PASSWORD}"

    @property
    def form_address(self) -> str:
        """As apprise writes a hook that takes a form, which is how most gateways to SMS work."""
        return f"form://{HOST}:{self.port}/sms?:message=text&:to=%2B4912345"


@contextmanager
def hook(port: int = 0, certificate: Path | None = None) -> Iterator[Hook]:
    """Run a web hook, on a free port unless one is given, and over TLS when a file with key and certificate is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            json_body = "json" in self.headers["Content-Type"]
            there.got.append(
                json.loads(body) if json_body else {name: each[0] for name, each in parse_qs(body).items()}
            )
            self.send_response(there.answers.pop(0) if there.answers else there.status)
            self.end_headers()
            self.wfile.write(PASSWORD.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            pass

    with ThreadingHTTPServer((HOST, port), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        there = Hook(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()


@dataclass
class MailServer:
    """A mail server: the mails it took, and the codes it answers with."""

    port: int = 0
    login: int = 235
    data: int = 250
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    logins: list[str] = field(default_factory=list[str])
    connections: int = 0

    @property
    def address(self) -> str:
        """As apprise writes an e-mail address with its server."""
        return f"mailto://someone:{PASSWORD}@{HOST}:{self.port}/oncall@example.org?from=alerts@example.org"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server that speaks as much of SMTP (RFC 5321, and AUTH of RFC 4954) as sending a mail takes."""
    there = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            there.connections += 1
            self.say("220 here")
            while command := self.rfile.readline().decode().strip():
                verb, _, rest = command.partition(" ")
                if verb.upper() == "QUIT":
                    self.say("221 bye")
                    return
                self.answer(verb.upper(), rest)

        def answer(self, verb: str, rest: str) -> None:
            if verb == "EHLO":
                self.say("250-here\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                there.logins.append(base64.b64decode(rest.partition(" ")[2]).decode().replace("\0", ":"))
                # What a server says may hold anything.
                self.say(f"{there.login} {PASSWORD}")
            elif verb == "DATA":
                self.say("354 go on")
                lines: list[bytes] = []
                while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                if there.data == 250:
                    there.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
                self.say(f"{there.data} {PASSWORD}")
            else:
                self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((HOST, 0), Handler) as server:
        there.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mute:
    """A server that takes connections and says nothing, or next to nothing."""

    port: int
    connections: int = 0

    def wait_for_connection(self, seconds: float = 30) -> bool:
        """Wait until somebody has connected, and say whether anybody has."""
        deadline = time.monotonic() + seconds
        while not self.connections and time.monotonic() < deadline:
            time.sleep(0.02)
        return bool(self.connections)


@contextmanager
def mute_server(*, dripping: bool = False) -> Iterator[Mute]:
    """Run such a server; one that drips begins an answer over HTTP and sends a byte of it every tenth of a second."""
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server((HOST, 0)) as listening:
        there = Mute(listening.getsockname()[1])
        open_connections: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                there.connections += 1
                open_connections.append(connection)
                if dripping:
                    threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield there
        finally:
            stop.set()
            listening.shutdown(socket.SHUT_RDWR)
            for connection in open_connections:
                connection.close()


def self_signed(folder: Path) -> Path:
    """Make a key and a certificate for 127.0.0.1 that nobody else has signed, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
