"""Puts the simulator together: one ASGI application over one world, with its pump running while it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from simulator import control, page
from simulator.courier import Courier
from simulator.doors import answer
from simulator.guard import Guard
from simulator.options import Options
from simulator.pump import Pump
from simulator.sendgrid import door as sendgrid_door
from simulator.sendgrid import life as mail_life
from simulator.sendgrid import routes as sendgrid
from simulator.twilio import inbound
from simulator.twilio import life as text_life
from simulator.twilio import routes as twilio
from simulator.world import World

STATIC = Path(__file__).parent / "static"


def create_app(options: Options) -> Starlette:
    """The application; its world opens and closes with it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        world = World(options)
        pump = Pump(world, {"text": text_life.step, "mail": mail_life.step}, mail_life.gather, Courier(world, inbound.replied))
        app.state.world, app.state.pump = world, pump
        app.state.limits = {"send": sendgrid_door.Limit(1), "other": sendgrid_door.Limit(60)}
        pump.start()
        try:
            yield
        finally:
            await pump.stop()
            world.close()

    routes = [
        *twilio.routes(),
        *sendgrid.routes(),
        *control.routes(),
        *page.routes(),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    middleware = [Middleware(Guard, credentials=options.credentials)]
    return Starlette(
        routes=routes, middleware=middleware, lifespan=lifespan, exception_handlers={HTTPException: _missing, Exception: _broken}
    )


async def _missing(request: Request, wrong: Exception) -> Response:
    status = wrong.status_code if isinstance(wrong, HTTPException) else 404
    if request.url.path.startswith(("/2010-04-01/", "/v1/")):
        return twilio.missing(request.url.path, status)
    if request.url.path.startswith("/v3/"):
        return sendgrid_door.missing(status)
    return answer({"error": "not found" if status == 404 else "not allowed"}, status)


async def _broken(request: Request, wrong: Exception) -> Response:
    return answer({"error": "the simulator failed; see its log"}, 500)
