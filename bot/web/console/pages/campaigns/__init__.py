"""Campaigns in the console: planned, looked at, approved by another person, watched and ended."""

from __future__ import annotations

from bot.web.console.pages.campaigns import deciding, drafting, hands, steering, texts, view
from bot.web.console.pages.campaigns.place import ENTRY as ENTRY
from bot.web.console.pages.campaigns.place import router as router

PAGES = (view, drafting, texts, deciding, steering, hands)
"""Each put its routes into the one router."""
