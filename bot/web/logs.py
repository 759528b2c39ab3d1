"""What the web process writes to its log: ids, routes and classes, never what a patient wrote.

Error texts can quote what was being worked on, so a traceback is logged with its places and its
class and without its text. Addresses, queries and cookies are not logged at all.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any

_Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlacesOnly(logging.Formatter):
    """Formats an error as its class and the places it came through, without its text."""

    def formatException(self, ei: _Info) -> str:
        """The class and the stack of one error and of those it arose from."""
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            lines.append(f"{type(error).__name__} at")
            lines += [line.rstrip() for line in traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__)).format()]
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


def log_config(level: str = "INFO") -> dict[str, Any]:
    """The logging configuration of the web process, for uvicorn and for everything in `bot`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"()": PlacesOnly, "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level},
        # These libraries write what passes through them when asked to debug: they are never asked.
        "loggers": {name: {"level": "WARNING"} for name in ("sse_starlette", "httpx", "httpcore", "multipart", "asyncio")}
        | {"uvicorn.access": {"handlers": [], "propagate": False}},
    }
