"""The page of a case: what the patient wrote, what is known, and everything a responder does about it."""

from bot.web.console.pages.case import composing, deeds, keeping, view
from bot.web.console.pages.case.tools import router

__all__ = ["composing", "deeds", "keeping", "router", "view"]
