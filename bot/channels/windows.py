"""When a channel takes a text of our own, and which approved text it takes otherwise.

WhatsApp takes free texts only within 24 hours after the patient's last one (Meta: customer service
window); outside it, only a template that was approved beforehand, by its content id. Twilio tells a
text that came too late with 63016, and since April 2025 the words of a template do not count as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

WINDOWS: Mapping[str, timedelta] = MappingProxyType({"whatsapp": timedelta(hours=24)})
"""Per channel how long after a patient's last turn it takes a free text; others take it at any time."""
MARGIN = timedelta(minutes=1)
"""The provider's clock and ours differ, and the call takes a moment."""
CLOSED = "outside_window"
SHUT = frozenset({CLOSED, "63016"})
"""Codes that say: too late for a free text."""
_SAME_SPEECH = MappingProxyType({"zh-Hant": "zh-Hans", "zh-Hans": "zh-Hant"})


def is_open(channel: str, heard_at: datetime | None, at: datetime) -> bool:
    """Whether the channel takes a free text now from somebody last heard then."""
    window = WINDOWS.get(channel)
    return window is None or (heard_at is not None and at < heard_at + window - MARGIN)


def template_for(language: str, templates: Mapping[str, str]) -> str | None:
    """The content id of the approved text that comes nearest to this language."""
    wanted = (language, _SAME_SPEECH.get(language, language), "en")
    return next((templates[one] for one in wanted if one in templates), None)
