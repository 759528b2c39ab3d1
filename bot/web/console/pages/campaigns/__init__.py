"""Campaigns in the console: planned, looked at, approved by another person, watched and ended."""

from __future__ import annotations

from bot.web.console.pages.campaigns import deciding, drafting, hands, phones, steering, texts, view
from bot.web.console.pages.campaigns.place import ENTRY
from bot.web.console.pages.campaigns.place import router as router

ENTRIES = (ENTRY, phones.ENTRY)
PAGES = (view, drafting, texts, deciding, steering, hands, phones)
"""Each put its routes into the one router."""
