"""Evidence for the authorities: a campaign's proof as a ZIP file, and what the authorities are still owed."""

import bot.web.console.pages.evidence.fetching
import bot.web.console.pages.evidence.view  # noqa: F401 - loading them gives the router its routes
from bot.web.console.pages.evidence.place import ENTRY, router

__all__ = ["ENTRY", "router"]
