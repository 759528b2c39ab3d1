"""Run the simulator: `python -m simulator --port 8100`."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Sequence

import uvicorn

from simulator.app import create_app
from simulator.options import Options, read

log = logging.getLogger("simulator")


class Server(uvicorn.Server):
    """A server that ends its event streams first, so that a stop does not wait for every open page."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        app = self.config.app
        state = getattr(app, "state", None)
        if state is not None and hasattr(state, "world"):
            state.stopping = True
            state.world.changed()
        await super().shutdown(sockets)


def server_for(options: Options) -> Server:
    """A server on the loopback; call `run` on it."""
    config = uvicorn.Config(
        create_app(options),
        host="127.0.0.1",
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,
    )
    return Server(config)


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; returns the process's exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = read(arguments)
    log.info("page, control and both providers: http://127.0.0.1:%d", options.port)
    if options.data is None:
        log.info("nothing is kept; the credentials of this run are at http://127.0.0.1:%d/simulator/configuration", options.port)
    server_for(options).run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
