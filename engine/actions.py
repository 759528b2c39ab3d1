"""Starts the action server with the actions of this repository, on loopback only.

rasa_sdk's server authenticates nobody and echoes what it was sent when it fails, so it must never
be reachable from outside. Exit status 4: port taken.
"""

from __future__ import annotations

import argparse
import logging
import sys

from engine.ground import PortTaken, complain, prepare, take_port
from engine.quiet import hush

logger = logging.getLogger("engine.actions")

NO_PORT = 4
LARGEST_BODY = 8 << 20  # bytes; a tracker of a long conversation with every ranking in it


def main(given: list[str] | None = None) -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="engine.actions", description=__doc__)
    parser.add_argument("--port", type=int, default=5055)
    parser.add_argument("--level", default="INFO", help="of logging; texts are at no level")
    asked = parser.parse_args(given)
    try:
        taken = take_port("127.0.0.1", asked.port)
    except PortTaken as error:
        complain(f"The action server cannot start: {error}.")
        return NO_PORT
    hush(asked.level)
    prepare()
    from rasa_sdk.endpoint import create_app

    app = create_app("actions", cors_origins="")
    app.config.REQUEST_MAX_SIZE = LARGEST_BODY
    app.config.MOTD = False
    hush(asked.level)
    logger.info("action server ready")
    app.run(sock=taken, debug=False, access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
