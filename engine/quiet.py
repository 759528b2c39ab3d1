"""Logging that cannot hold what a patient wrote.

Rasa, Sanic and the action server put texts, trackers and request bodies into their messages, their
exceptions and their warnings, at every level. So nobody's words but ours are printed: of a foreign
record we keep the level, the logger and the place in the code; of an exception its class and the
places it passed. Our own modules log ids and names only.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from types import TracebackType

OURS = ("engine", "actions", "__main__")


def _ours(name: str) -> bool:
    return name.split(".", 1)[0] in OURS


def _places(error: BaseException, depth: int = 0) -> str:
    """Class of an error and where it passed, innermost first; never its words or source lines."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    passed = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in reversed(frames))
    told = f"{type(error).__module__}.{type(error).__qualname__} at {passed or 'nowhere'}"
    before = error.__cause__ or error.__context__
    if before is None or depth > 3:
        return told
    return f"{told}; after {_places(before, depth + 1)}"


class Terse(logging.Formatter):
    """One line per record: time, level, logger, then our words or a foreign record's place."""

    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        """The whole line; foreign messages and all exception texts are left out."""
        said = record.getMessage() if _ours(record.name) else f"({record.module}:{record.lineno})"
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {said}"
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        return f"{line} ! {_places(error)}" if error else line


def _worth(record: logging.LogRecord) -> bool:
    """Foreign records below a warning are only places in code: for those who asked for DEBUG."""
    return _ours(record.name) or record.levelno >= logging.WARNING or logging.root.level <= logging.DEBUG


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("engine").critical("stopped by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _through_logging() -> None:
    """Route structlog, which Rasa uses beside logging and which prints by itself, to the handler."""
    import structlog

    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, lambda logger, method, event: "event"],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def hush(level: str = "INFO") -> None:
    """Make this process log tersely to standard error; call it first, and again after imports.

    It takes away every handler that a library has hung up meanwhile.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Terse())
    handler.addFilter(_worth)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers = []
            logger.propagate = True
    logging.captureWarnings(True)
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    threading.excepthook = _uncaught_in_thread
    _through_logging()
