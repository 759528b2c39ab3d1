"""What every process of the engine does first: quiet Rasa's telemetry, take the port, stand-ins."""

from __future__ import annotations

import os
import socket
import sys

from engine import stand_ins

# Rasa reads these while it is imported.
ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    "RASA_MAX_CACHE_SIZE": "0",  # our vectors are kept apart; its cache would grow in the work folder
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "CANDOUR_ACTIONS_URL": "http://127.0.0.1:5055/webhook",
    # One turn is one small matrix product: more threads only wait for each other.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class PortTaken(Exception):
    """The port is in use, or may not be used; the text is a sentence for the operator."""


def complain(sentence: str) -> None:
    """One sentence for the operator, on standard error."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def take_port(host: str, port: int) -> socket.socket:
    """The bound socket, not yet listening, so that nobody connects to what is not ready."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise PortTaken(f"port {port} on {host} cannot be taken ({error.strerror})") from None
    return taken


def prepare() -> None:
    """Make Rasa importable and silent about itself; call before the first import of it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    stand_ins.plant()
