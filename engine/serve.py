"""Starts the engine: loads the model, opens the door on loopback, or says in a sentence why not.

Rasa's own start serves on happily without a model; this one ends. Exit status: 2 no token, 3 no
usable model, 4 port taken.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.ground import PortTaken, complain, prepare, take_port
from engine.quiet import hush

if TYPE_CHECKING:
    from rasa.core.agent import Agent

    from engine.memory import BoundedMemory

logger = logging.getLogger("engine.serve")

NO_TOKEN, NO_MODEL, NO_PORT = 2, 3, 4


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="engine.serve", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--endpoints", type=Path, default=Path("endpoints.yml"))
    parser.add_argument("--credentials", type=Path, default=Path("credentials.yml"))
    parser.add_argument("--level", default="INFO", help="of logging; texts are at no level")
    return parser


def load(model: Path, endpoints: Path) -> tuple[Agent, BoundedMemory]:
    """The agent, proved by understanding a first text, and its memory; raises when it cannot."""
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage
    from rasa.core.tracker_store import TrackerStore
    from rasa.core.utils import AvailableEndpoints

    from engine.memory import BoundedMemory

    if not model.is_file():
        raise FileNotFoundError("no such file")
    configured = AvailableEndpoints.read_endpoints(str(endpoints))
    memory = TrackerStore.create(configured.tracker_store)
    if not isinstance(memory, BoundedMemory):
        raise TypeError(f"{endpoints.name} names no bounded memory")
    agent = Agent.load(str(model), tracker_store=memory, action_endpoint=configured.action)
    if not agent.is_ready() or agent.processor is None:
        raise RuntimeError("the agent is not ready")
    parsed = asyncio.run(agent.processor.parse_message(UserMessage("hello")))
    if not parsed.get("intent_ranking"):
        raise RuntimeError("the model ranks no topics")
    return agent, memory


def application(agent: Agent, memory: BoundedMemory, credentials: Path) -> Any:
    """The Sanic application with our door alone; Rasa's HTTP API is off."""
    from rasa.core.run import configure_app, create_http_input_channels

    from engine.shapes import LARGEST_BODY

    doors = create_http_input_channels(None, str(credentials))
    app = configure_app(doors, enable_api=False)
    app.config.REQUEST_MAX_SIZE = LARGEST_BODY
    app.config.MOTD = False
    app.ctx.agent, app.ctx.memory = agent, memory
    return app


def main(given: list[str] | None = None) -> int:
    """Serve until stopped; the exit status says what kept it from serving."""
    asked = arguments().parse_args(given)
    if not os.environ.get("CANDOUR_ENGINE_TOKEN"):
        complain("The engine needs CANDOUR_ENGINE_TOKEN in its environment.")
        return NO_TOKEN
    try:
        taken = take_port(asked.host, asked.port)
    except PortTaken as error:
        complain(f"The engine cannot start: {error}.")
        return NO_PORT
    hush(asked.level)
    prepare()
    try:
        agent, memory = load(asked.model, asked.endpoints)
    except Exception as error:  # whatever a broken archive makes of Rasa, it ends here
        logger.error("the model could not be loaded", exc_info=error)
        kind = type(error).__name__
        complain(f"The model {asked.model.name} is missing or damaged ({kind}); train it anew.")
        return NO_MODEL
    app = application(agent, memory, asked.credentials)
    hush(asked.level)
    logger.info("engine ready with %s", agent.model_name)
    app.run(sock=taken, debug=False, access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
