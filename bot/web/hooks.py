"""Where providers post: checked, stored, acknowledged; everything else happens in the worker.

A request whose signature is missing or wrong gets 403 and leaves nothing but a count. No parameter, address
or text of a request is logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.assembly import Application
from bot.base.errors import NotAuthentic, Unconfigured
from bot.channels.base import Hook, HookKind, Kept, of_hook
from bot.conversations.post import hooks
from bot.web.gathering import Gathering
from bot.web.limits import BODY_LIMIT, LETTER_LIMIT

log = logging.getLogger(__name__)

PATHS = {
    HookKind.TWILIO_MESSAGES: "/hooks/twilio/messages",
    HookKind.TWILIO_STATUS: "/hooks/twilio/status",
    HookKind.SENDGRID_EVENTS: "/hooks/sendgrid/events",
    HookKind.SENDGRID_INBOUND: "/hooks/sendgrid/inbound/{secret}",
}
"""The addresses to enter at the providers."""

BULKY = 256 * 1024
"""Bytes from which an e-mail is a large one."""
BULKY_AT_A_TIME = 6
"""Large e-mails that are in memory together; the others of a wave wait at the door, and small ones go past them."""

READ_S = 120.0
"""Seconds that a body may take to come in."""

_NO_WORDS = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Hooks:
    """The doors for providers of one web process."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._gathering: Gathering[tuple[HookKind, Kept]] = Gathering(self._store)
        self._bulky = asyncio.Semaphore(BULKY_AT_A_TIME)
        self.refused: Counter[HookKind] = Counter()

    def routes(self) -> list[Route]:
        """One route per kind of hook; an e-mail may be larger than anything else."""
        return [self._route(kind, path) for kind, path in PATHS.items()]

    def stop(self) -> None:
        """Store what has arrived, and take nothing more."""
        self._gathering.stop()

    def _route(self, kind: HookKind, path: str) -> Route:
        async def serve(request: Request) -> Response:
            return await self._serve(kind, request)

        limit = LETTER_LIMIT if kind is HookKind.SENDGRID_INBOUND else BODY_LIMIT
        middleware = [Middleware(RequestBodyLimitMiddleware, max_body_size=limit)]
        return Route(path, serve, methods=["POST"], name=kind.value, include_in_schema=False, middleware=middleware)

    async def _serve(self, kind: HookKind, request: Request) -> Response:
        channel = of_hook(self._application.channels, kind)[:1]
        if not channel:
            return self._refuse(kind)
        try:
            if kind is HookKind.SENDGRID_INBOUND:
                # Before a byte of the body is read: it may be 30 MB.
                channel[0].authenticate(self._hook(kind, request, b""))
            async with self._room(kind, request):
                body = await asyncio.wait_for(request.body(), READ_S)  # whoever stalls gives the place back
                hook = self._hook(kind, request, body)
                await run_in_threadpool(channel[0].authenticate, hook)
                kept = await run_in_threadpool(channel[0].keep, hook)
        except (NotAuthentic, Unconfigured):
            return self._refuse(kind)
        except ClientDisconnect:
            return Response(status_code=400)
        except TimeoutError:
            return Response(status_code=408)
        await self._gathering.put((kind, kept))
        self._application.doorbell.ring("hooks")
        if kind is HookKind.TWILIO_MESSAGES:
            return Response(_NO_WORDS, media_type="text/xml")
        return Response(status_code=204)

    def _room(self, kind: HookKind, request: Request) -> AbstractAsyncContextManager[object]:
        told = request.headers.get("content-length", "")
        is_small = told.isascii() and told.isdecimal() and int(told[:12]) < BULKY
        return nullcontext() if kind is not HookKind.SENDGRID_INBOUND or is_small else self._bulky

    def _hook(self, kind: HookKind, request: Request, body: bytes) -> Hook:
        return Hook(
            kind=kind,
            url=self._public(request),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            secret=str(request.path_params.get("secret", "")),
        )

    def _public(self, request: Request) -> str:
        """The address as the provider called and signed it: behind a proxy only the setting knows it."""
        base = self._application.settings.hooks or f"{request.url.scheme}://{request.headers.get('host', '')}"
        path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        return f"{base}{path}?{query}" if query else base + path

    def _refuse(self, kind: HookKind) -> Response:
        self.refused[kind] += 1
        log.warning("a hook without a good signature was refused: %s, %d since the start", kind.value, self.refused[kind])
        return Response(status_code=403)

    def _store(self, arrived: Sequence[tuple[HookKind, Kept]]) -> None:
        application = self._application
        rows = hooks.sealed(application.vault, arrived, application.clock())  # before anybody waits for us
        with application.database.writing() as session:
            hooks.keep(session, rows)
