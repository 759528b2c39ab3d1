"""`widget-snippet`: what a clinic's site adds to its pages to show the chat."""

from __future__ import annotations

import httpx

from bot.base.errors import Misconfigured
from bot.cli import services, state
from bot.cli.terminal import out, settings_now


def widget_snippet() -> None:
    """Print the script's line and the policy lines for a site that embeds the chat; asks the running web process."""
    settings = settings_now()
    running = state.running(settings.home) or {}
    try:
        # Only the process that serves the script knows its digest.
        web = running.get("web") or services.web_address(settings)
        answer = httpx.get(f"{web}/widget/snippet", timeout=5.0, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError:
        raise Misconfigured("The web process does not answer: start it with `./candour up`.") from None
    out.out(answer.text)
