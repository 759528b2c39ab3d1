"""Stands at the engine's address and misbehaves: `python -m tests.chaos.bad_engine PORT`.

`POST /behave` with the name of a way to behave; every turn is then answered in this way.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {"say": ["what_happened"], "do": [], "ranking": [{"topic": "what_happened", "confidence": 0.97}]}
BODIES: dict[str, bytes] = {
    "well": json.dumps(GOOD).encode(),
    "nothing": b"",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "half": json.dumps(GOOD).encode()[:25],
    "list": b"[]",
    "silence": b'{"say": [], "do": [], "ranking": []}',
    "unknown": json.dumps({**GOOD, "say": ["a_wording_that_nobody_published"]}).encode(),
    "not_a_number": b'{"say": ["what_happened"], "do": [], "ranking": [{"topic": "what_happened", "confidence": NaN}]}',
    "numbers": b'{"say": [1, 2], "do": [], "ranking": []}',
    "deep": b'{"say":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "endless": b'{"say": ["' + b"x" * 2_000_000 + b'"]}',
}
STATUSES = {"error": 500, "unknown_door": 404, "token": 401, "moved": 307}
how = "well"


class Door(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send(200, b'{"ready": true, "model": "none"}')

    def do_POST(self) -> None:
        global how
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/behave":
            how = body.decode()
            self._send(200, b"{}")
        elif how == "slow":
            time.sleep(60)
        elif how == "drip":
            self._drip()
        elif how == "cut":
            self.close_connection = True
        elif how in STATUSES:
            self._send(STATUSES[how], b"{}")
        else:
            self._send(200, BODIES[how])

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 307:
            self.send_header("Location", "/webhooks/candour/turn")
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.3)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the caller has lost patience, which is what this is about
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
