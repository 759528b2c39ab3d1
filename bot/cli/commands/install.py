"""`install`: both environments and nothing else; the launcher has made them before this runs."""

from __future__ import annotations

from bot.cli.terminal import out


def install() -> None:
    """Make the Python environments of the application, its tests and the engine, and stop."""
    out.print("The environments are in place.")
