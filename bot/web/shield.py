"""What stands before every endpoint: who may ask at all, and what every answer carries.

Written against ASGI itself, because a middleware that wraps responses would hold back streams.
"""

from __future__ import annotations

import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.base.errors import TooMany
from bot.base.settings import Settings
from bot.web.embedding import LOADER_PATH, embed_headers
from bot.web.labels import wanted
from bot.web.limits import Limiter, body_limit, caller, networks
from bot.web.refusals import answer

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No inline script or style, no eval, nothing from elsewhere, in no frame, and no text ever becomes markup."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Shield:
    """Refuses foreign pages and rude callers, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, *, settings: Settings, limiter: Limiter) -> None:
        self._app = app
        self._limiter = limiter
        self._trusted = networks(settings.trusted_proxies)
        self._origin = _origin_of(settings.public_url)
        self._headers = dict(_HEADERS)
        if settings.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"
        self._embedded = embed_headers(settings, POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._mark(scope, message)
            await send(message)

        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else None
        address = caller(peer, headers.getlist("x-forwarded-for"), self._trusted)
        scope.setdefault("state", {})["address"] = address
        try:
            await self._guarded(scope, headers, address)(scope, receive, send_marked)
        finally:
            # The route's pattern, never the path: anything can be typed into an address.
            route = getattr(scope.get("route"), "path", "-")
            log.info("%s %s %d %d ms", scope["method"], route, status, (time.monotonic() - started) * 1000)

    def _guarded(self, scope: Scope, headers: Headers, address: str) -> ASGIApp:
        language = wanted(headers.get("accept-language", ""))
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > body_limit(scope["path"]):
            return answer("too_large", language)
        if not scope["path"].startswith("/api/"):
            return self._app
        if not self._is_own(scope, headers):
            return answer("foreign_origin", language)
        try:
            self._limiter.count("address_requests", address)
        except TooMany as many:
            return answer("too_many", language, retry_after_s=many.retry_after_s)
        return self._app

    def _is_own(self, scope: Scope, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            # Old browsers send neither; programs send none and carry nobody's cookie by accident.
            return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        own = self._origin or f"{scope['scheme']}://{headers.get('host', '')}".lower()
        return origin.lower() == own

    def _mark(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in (self._headers | self._embedded.get(scope["path"], {})).items():
            if value:
                headers[name] = value
        # A static file's address changes with its content (patient.py), and the loader's content never changes.
        is_versioned = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
        is_lasting = is_versioned or scope["path"] == LOADER_PATH
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_lasting else "no-store"


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
