"""Run the web process: `python -m bot.web`."""

from __future__ import annotations

import logging
import logging.config
import socket

import uvicorn
from fastapi import FastAPI

from bot.assembly import open_application
from bot.base.errors import CandourError
from bot.base.settings import load_settings
from bot.web.app import create_app
from bot.web.console.live import Live
from bot.web.door import Door
from bot.web.limits import limits_of
from bot.web.logs import log_config
from bot.web.shield import embed_origins

log = logging.getLogger("bot.web")

LAST_WORDS_S = 10
"""Seconds that requests under way may take after a stop was asked for; more than the engine's time-out."""


class Server(uvicorn.Server):
    """A server that ends its event streams first, so that a stop does not wait for every open page."""

    def __init__(self, config: uvicorn.Config, door: Door, live: Live) -> None:
        super().__init__(config)
        self._door, self._live = door, live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._door.hub.close()
        self._live.close()
        await super().shutdown(sockets)


def server_for(app: FastAPI, host: str, port: int) -> Server:
    """A server for the application; call `run` on it."""
    # Its lines would hold addresses and queries; the shield writes one line per request without them.
    logging.getLogger("uvicorn.access").disabled = True
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # X-Forwarded-For is judged by the shield, which knows the trusted proxies.
        proxy_headers=False,
        timeout_graceful_shutdown=LAST_WORDS_S,
        timeout_keep_alive=30,
    )
    return Server(config, app.state.door, app.state.console_live)


def main() -> int:
    """Serve until told to stop; returns the process's exit status."""
    logging.config.dictConfig(log_config())
    try:
        settings = load_settings()
        limits = limits_of(settings)
        embed_origins(settings)  # a wrong one must stop the start, not the first request
        application = open_application(settings)
    except CandourError as wrong:
        log.error("%s", wrong)
        return 1
    try:
        server_for(create_app(application, limits), settings.web_host, settings.web_port).run()
    finally:
        application.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
