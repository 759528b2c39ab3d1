"""What stands before every endpoint: who may ask at all, who may show us in a frame, and what every answer carries.

Written against ASGI itself, because a middleware that wraps responses would hold back streams.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.base.errors import Misconfigured, TooMany
from bot.base.settings import Settings
from bot.web.api.problems import PREFIX as PROGRAMS
from bot.web.api.problems import problem
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

FRAME = "/widget"
MAIL = "/desk/campaign-mail"
"""An e-mail shown to staff as its readers get it: in a frame of ours, with its own styles, and nothing that could act or load."""
_MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
LOADER = "candour-1.js"
"""What other sites load. They hold its digest, so a released file never changes: a changed one gets the next number,
and this one stays as long as a site may use it."""
LOADER_INTEGRITY = "sha384-V/c07N9DGLpkPtmJmuznlZafWdA/mqhSPUFPpfaViQOnuM6fIi2OvZT57zlwoYMb"
LOADER_PATH = f"/static/widget/{LOADER}"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
        shown = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        self._embedded = {**embed_headers(settings, POLICY), MAIL: shown}

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
        is_program = scope["path"].startswith(f"{PROGRAMS}/")
        if length.isdecimal() and int(length) > body_limit(scope["path"]):
            return problem("too_large") if is_program else answer("too_large", language)
        if not scope["path"].startswith("/api/"):
            return self._app
        if not self._is_own(scope, headers):
            return problem("foreign_origin") if is_program else answer("foreign_origin", language)
        try:
            self._limiter.count("address_requests", address)
        except TooMany as many:
            wait = many.retry_after_s
            return problem("too_many", retry_after_s=wait) if is_program else answer("too_many", language, retry_after_s=wait)
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


def embed_origins(settings: Settings) -> tuple[str, ...]:
    """The origins that may embed the chat; raises Misconfigured for one that is none or could not work."""
    return tuple(_origin(part.strip(), settings) for part in settings.embed_origins.split(",") if part.strip())


def _origin(text: str, settings: Settings) -> str:
    try:
        parts = urlsplit(text.lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Misconfigured("CANDOUR_EMBED_ORIGINS holds something that is no address.") from None
    origin = f"{parts.scheme}://{parts.netloc}"
    # What stands here becomes part of a header: nothing but scheme, host and port.
    is_plain = all(c.isascii() and (c.isalnum() or c in "-.[]:") for c in parts.netloc)
    if not host or not is_plain or text.lower().removesuffix("/") != origin or parts.scheme not in ("https", "http"):
        raise Misconfigured("CANDOUR_EMBED_ORIGINS must be origins like https://www.example.hk, without path or wildcard.")
    if host in LOOPBACK:
        return origin
    if parts.scheme != "https" or not settings.public_url.startswith("https:"):
        raise Misconfigured("CANDOUR_EMBED_ORIGINS needs https there, and CANDOUR_PUBLIC_URL with https here.")
    return origin.removesuffix(":443") if port == 443 else origin


def embed_headers(settings: Settings, policy: str) -> Mapping[str, dict[str, str]]:
    """By path, the headers that differ from everybody else's; an empty value leaves the header out."""
    origins = embed_origins(settings)
    # Our own notice shows the frame too.
    framed = policy.replace("frame-ancestors 'none'", " ".join(("frame-ancestors 'self'", *origins)))
    if not origins:
        return {FRAME: {"Content-Security-Policy": framed, "X-Frame-Options": "SAMEORIGIN"}}
    return {
        FRAME: {
            "Content-Security-Policy": framed,
            # It knows no list of origins, and old browsers would obey it.
            "X-Frame-Options": "",
            # For sites that isolate themselves: their frames must say both.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
        },
        # A public script without anything of a patient; a digest is checked only on what may be read.
        LOADER_PATH: {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"},
    }
