"""What a deed gets and what comes of it; and the choices by which a deed is asked for again, for a ward as well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.base.languages import Language
from bot.conversations.speaking.levels import Verified

LOG_OUT = "verify_log_out"
START = "verify_start"
WITHOUT_TOPIC = frozenset({"resend_notice", "stop_all_messages", "resume_messages", "ask_contact_change"})
"""Deeds that no topic asks for: they are reached by a choice alone."""
FOR_WARDS = frozenset({"am_i_affected", "my_notices", "resend_notice", "stop_all_messages", "resume_messages"})
"""Deeds that a guardian on file may ask for a ward."""

_WARD = re.compile(r"([a-z_]{1,30})@(\d{1,15})#([1-9])")


@dataclass(frozen=True)
class Asked:
    """A deed that is asked for, by whom and in what."""

    name: str
    thread_id: int
    channel: str
    language: Language
    content: Mapping[str, Any]
    at: datetime
    verified: Verified | None = None  # the proof of this session, if there is one
    details: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)  # the turn as it was written, for deeds that look at it


@dataclass(frozen=True)
class Done:
    """What came of a deed: wordings in place of the general answer, choices to offer first, a case to open."""

    say: tuple[str, ...] = ()  # empty: the general answer stays
    values: Mapping[str, str] = field(default_factory=dict)
    offer: tuple[str, ...] = ()
    reason: str | None = None
    opted_out: bool | None = None  # whether messages on this line are stopped, or may come again


def choice_for(deed: str, ward_id: int, place: int) -> str:
    """The topic of the choice by which a guardian asks for a ward; it opens nothing, the link is looked at when it is pressed."""
    return f"{deed}@{ward_id}#{place}"


def chosen_deed(topic: str) -> tuple[str, Mapping[str, str]] | None:
    """The deed that a pressed choice asks for without the engine; None when it is a topic like others."""
    if topic in WITHOUT_TOPIC:
        return topic, {}
    match = _WARD.fullmatch(topic)
    if match and match[1] in FOR_WARDS:
        return match[1], {"for": match[2], "place": match[3]}
    return None


def of_verified(offers: Sequence[str]) -> tuple[str, ...]:
    """Choices after a personal answer: these, and always the way out."""
    return (*dict.fromkeys(offers), LOG_OUT)
