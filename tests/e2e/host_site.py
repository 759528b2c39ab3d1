"""A clinic's own web site on another port, strict about what its pages load, with the widget on every page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Our clinics</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/{style}.css"></head>
<body><header><h1>Our clinics</h1><p><a id="first" href="/news">News</a></p></header>
<main><p>Opening hours: Monday to Saturday, 9 to 18.</p><div class="tall"></div>
<p><a id="last" href="/about">About us</a></p></main>
{script}
</body></html>"""

STYLES = {
    "plain": """
        body { font: 1rem/1.6 sans-serif; margin: 2rem; background: #fff; color: #111; }
        a { color: #00c; }
        .tall { height: 60rem; }
        @media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } a { color: #9cf; } }""",
    "hostile": """
        html { font-size: 4px; direction: rtl; letter-spacing: 1em; text-transform: uppercase; }
        body { transform: scale(0.5) rotate(3deg); filter: invert(1); overflow: hidden; height: 50px; position: relative; }
        body * { display: none !important; position: static !important; visibility: hidden !important; color: #fff !important;
            opacity: 0.1 !important; pointer-events: none !important; width: 3px !important; z-index: -1 !important;
            transform: translate(-9999px) !important; clip-path: inset(50%) !important; font: 1px serif !important; }
        header, header *, main, main * { all: revert !important; }
        button, iframe, svg, p { display: none !important; }
        candour-widget { all: unset !important; display: none !important; left: -9999px !important; content: "" !important; }
        """,
}


@dataclass
class Host:
    """The running site: its port, the line it adds to its pages and the policy it sends."""

    port: int
    script: str = ""
    policy: str = ""
    style: str = "plain"
    lang: str = "en"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def same_site(self) -> str:
        """Its address on the host that also serves the chat: another origin of the same site."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def foreign(self) -> str:
        """Its address on a host that browsers take for another site."""
        return f"http://localhost:{self.port}"


@contextmanager
def running_host(port: int) -> Iterator[Host]:
    """Serve until the block ends."""
    host = Host(port)

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, _, kind = self.path.lstrip("/").partition(".")
            if kind == "css":
                self._answer("text/css", STYLES[name])
            elif kind:
                self._answer("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>')
            else:
                self._answer("text/html; charset=utf-8", PAGE.format(lang=host.lang, style=host.style, script=host.script))

        def _answer(self, kind: str, text: str) -> None:
            raw = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            for header, value in {"Content-Security-Policy": host.policy, **host.more}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Pages)
    threading.Thread(target=server.serve_forever, name="host", daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
