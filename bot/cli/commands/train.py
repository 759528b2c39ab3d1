"""`train`: the model of the present data."""

from __future__ import annotations

from bot.cli import training
from bot.cli.terminal import out, say, settings_now, show


def train() -> None:
    """Train the engine if its data changed; a changed sentence needs no training."""
    settings = settings_now()
    model = training.ensure_model(settings, say, show)
    out.print(f"The model of the present data is {model}.")
