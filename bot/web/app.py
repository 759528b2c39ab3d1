"""The web application put together: doors, shield, refusals, streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.staticfiles import StaticFiles
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.assembly import Application
from bot.web import chat, health, patient, refusals
from bot.web.answering import Answering
from bot.web.api.app import create_api
from bot.web.api.problems import PREFIX as API
from bot.web.console import install as console
from bot.web.door import Door
from bot.web.hooks import Hooks
from bot.web.limits import LIMITS, Limiter, Limits, body_limit
from bot.web.pages import check, notice, widget
from bot.web.shield import Shield
from bot.web.stream import Hub

STATIC = Path(__file__).parent / "static"


class LimitedByPath:
    """Stops a body that turns out to be longer than its path allows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        most = body_limit(scope["path"]) if scope["type"] == "http" else 0
        await RequestBodyLimitMiddleware(self._app, max_body_size=most)(scope, receive, send)


class Shielded(FastAPI):
    """An application whose every answer passes the shield, also the one for a fault of ours."""

    def build_middleware_stack(self) -> ASGIApp:
        """The stack that serves a request; built by the framework at the first one."""
        door: Door = self.state.door
        return Shield(super().build_middleware_stack(), settings=door.application.settings, limiter=door.limiter)


def create_app(application: Application, limits: Limits = LIMITS) -> FastAPI:
    """The ASGI application of the web process."""
    door = _door(application, limits)
    hooks = Hooks(application)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await door.hub.start()
        try:
            yield
        finally:
            await app.state.console_live.stop()
            await door.hub.stop()
            door.answering.stop()
            hooks.stop()

    app = Shielded(
        title="Candour",
        version="0.1.0",
        description="What patients and programs can ask of Candour's web process.",
        lifespan=lifespan,
        # The viewers load their scripts from elsewhere; the description itself stays.
        docs_url=None,
        redoc_url=None,
        # The shield refuses what says that it is too long; the other one stops what turns out to be.
        middleware=[Middleware(LimitedByPath)],
    )
    app.state.door = door
    refusals.install(app)
    app.include_router(chat.router)
    app.include_router(health.router)
    app.include_router(patient.router)
    app.include_router(notice.router)
    app.include_router(check.router)
    app.include_router(widget.router)
    app.router.routes.extend(hooks.routes())
    console.install(app, door)
    app.mount(API, create_api(door), name="api")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def _door(application: Application, limits: Limits) -> Door:
    # The hub looks through the door and the door holds the hub: the look is bound when both exist.
    hub = Hub(lambda known: door.look(known))
    answering = Answering(application.inbox.answer, application.doorbell, answered=hub.stored)
    door = Door(application, Limiter(limits), hub, answering)
    return door
