"""Who may ask at all: the loopback's own names only, no foreign page, and for page and control the token when there is one."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.doors import answer, same
from simulator.options import Credentials

POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
NAMES = {"127.0.0.1", "localhost", "[::1]", "testserver"}
COOKIE = "simulator"
OPEN = ("/v3/", "/v1/", "/2010-04-01/", "/simulator/health")


class Guard:
    """Stands before every door."""

    def __init__(self, app: ASGIApp, credentials: Credentials) -> None:
        self._app = app
        self._token = credentials.control_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", POLICY)
            await send(message)

        refused = self._refusal(scope, Headers(scope=scope))
        await (refused or self._app)(scope, receive, marked)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() not in NAMES:
            # A page on the internet may point a name of its own at 127.0.0.1.
            return answer({"error": "this simulator answers on the loopback only"}, 421)
        if scope["path"].startswith(OPEN):
            return None
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host}".lower():
            return answer({"error": "foreign origin"}, 403)
        return self._stranger(scope, headers)

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._token or same(headers.get("authorization", "").removeprefix("Bearer "), self._token):
            return None
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", "")[:4_000])
        except Exception:
            cookies = SimpleCookie()
        if COOKIE in cookies and same(cookies[COOKIE].value, self._token):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")[:1_000]).get("key", [""])[0]
        if scope["path"] == "/" and same(given, self._token):
            redirect = RedirectResponse("/", 303)
            redirect.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return redirect
        return answer({"error": "not allowed: give the control token as Authorization: Bearer, or open /?key=…"}, 401)
