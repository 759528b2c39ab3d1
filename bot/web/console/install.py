"""The console as part of the application: every page is found, and each of its routes has said who may use it."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from bot.web.console import nowhere, pages
from bot.web.console.door import access_of
from bot.web.console.live import Live
from bot.web.console.rendering import Entry
from bot.web.door import Door


def install(app: FastAPI, door: Door) -> Live:
    """Put the console into the application; raises RuntimeError for a route that does not say who may use it."""
    entries: list[Entry] = []
    for name in sorted(found.name for found in pkgutil.iter_modules(pages.__path__)):
        module = importlib.import_module(f"{pages.__name__}.{name}")
        router: APIRouter | None = getattr(module, "router", None)
        if router is None:
            continue
        for route in router.routes:
            if isinstance(route, APIRoute) and access_of(route) is None:
                raise RuntimeError(f"{route.path} does not say who may use it")
        app.include_router(router)
        one: Entry | None = getattr(module, "ENTRY", None)
        entries += getattr(module, "ENTRIES", (one,) if one else ())
    app.include_router(nowhere.router)
    app.state.console_entries = sorted(entries, key=lambda one: one.place)
    app.state.console_live = Live(door.application)
    live: Live = app.state.console_live
    return live
