"""The page of a case: what the patient wrote, what is known, and everything a responder does about it."""

import bot.web.console.pages.case.composing
import bot.web.console.pages.case.deeds
import bot.web.console.pages.case.keeping
import bot.web.console.pages.case.persons
import bot.web.console.pages.case.view  # noqa: F401 - loading them gives the router its routes
from bot.web.console.pages.case.tools import router

__all__ = ["router"]
