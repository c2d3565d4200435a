"""A way to an S3 server on which things go wrong, at chosen calls and in chosen manners."""

import http.client
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse


FAULTS = ("500", "503", "reset", "lost reply", "short", "silence", "slow")
"""The server fails or is busy; the connection breaks before it, or after it did its work, or in
the middle of the answer; nothing comes; it comes late."""

SILENCE_S = 1


class Proxy(ThreadingHTTPServer):
    """Hands requests on to a server, but for those that the plan spoils."""

    daemon_threads = True

    def __init__(self, upstream):
        """Stand before the server at an address."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlparse(upstream).netloc
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.heal()

    def heal(self):
        """Let everything through, and count from the beginning."""
        self.lock, self.calls = threading.Lock(), []
        self.plan = lambda _number, _method, _path: None
        self.headers = {}

    def spoil(self, fault, number, *, on=False):
        """Spoil the n-th call from now on, and with `on` all after it too."""
        self.heal()
        self.plan = lambda n, _method, _path: fault if n == number or (on and n > number) else None

    def handle_error(self, request, client_address):
        """Say nothing: broken connections are the point."""


METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def forward(self):
        """Hand a request on, or spoil it."""
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with server.lock:
            server.calls.append((self.command, self.path))
            fault = server.plan(len(server.calls), self.command, self.path)
        if fault == "slow":
            time.sleep(0.3)
        if fault == "silence":
            time.sleep(SILENCE_S)
        if fault in ("reset", "silence"):
            self.cut()
        elif fault in ("500", "503"):
            self.answer(int(fault), {}, b"")
        else:
            status, headers, data = self.ask(body)
            if fault == "lost reply":
                self.cut()
            else:
                self.answer(status, headers | server.headers, data, cut=fault == "short")

    def ask(self, body):
        """Return what the server answers; the signature covers the name by which we are called."""
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower() != "transfer-encoding"}
        return answer.status, kept, data

    def answer(self, status, headers, data, *, cut=False):
        """Send an answer, or the first half of it."""
        names = {name.lower() for name in headers}
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self.cut()

    def handle_expect_100(self):
        """Let the client send its body."""
        self.send_response_only(100)
        self.end_headers()
        return True

    def cut(self):
        """Break the connection."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


for method in METHODS:
    setattr(Handler, f"do_{method}", Handler.forward)


@contextmanager
def proxied(upstream):
    """Run a proxy while the block runs."""
    proxy = Proxy(upstream)
    thread = threading.Thread(target=proxy.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
