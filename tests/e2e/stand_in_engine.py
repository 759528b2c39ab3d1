"""A tiny HTTP server that speaks the engine's contract: understands a few words, no learning.

`python tests/e2e/stand_in_engine.py PORT` runs it; it stands at the one seam where the real engine is.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = {
    "what_happened": ("what happened", "發生", "发生", "nangyari", "terjadi"),
    "protect_myself": ("protect", "保護", "保护"),
    "hotline_contact": ("hotline", "熱線", "热线"),
    "speak_human": ("person", "真人", "职员"),
    "am_i_affected": ("affected", "受影響", "受影响", "apektado", "terdampak"),
}


def understand(body: dict[str, Any]) -> dict[str, Any]:
    """An answer to one turn, in the shape of the contract."""
    text = body.get("text", "").lower()
    topic = body.get("topic") or next((topic for topic, words in WORDS.items() if any(word in text for word in words)), None)
    if topic is None:
        ranking = [{"topic": "what_happened", "confidence": 0.3}, {"topic": "protect_myself", "confidence": 0.25}]
        return {"say": ["what_happened"], "do": [], "ranking": ranking}
    ranking = [{"topic": topic, "confidence": 0.97}]
    if topic == "speak_human":
        return {"say": [], "do": [{"name": "hand_over", "reason": "speak_human"}], "ranking": ranking}
    do = [{"name": topic}] if topic == "am_i_affected" else []
    return {"say": [topic], "do": do, "ranking": ranking}


class Door(BaseHTTPRequestHandler):
    """The engine's door."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say that it is ready."""
        self._answer({"ready": True, "model": "stand-in"})

    def do_POST(self) -> None:
        """Understand one turn."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "slowly" in body.get("text", ""):
            time.sleep(1.5)
        self._answer(understand(body))

    def _answer(self, content: dict[str, Any]) -> None:
        raw = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
