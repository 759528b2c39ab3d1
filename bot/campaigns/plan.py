"""What a campaign is told to do, in one frozen object that its approval is bound to."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.models import Variant
from bot.patients.models import Category, Way

QUIET = frozenset({Way.SMS, Way.WHATSAPP})
"""Channels that ring in somebody's pocket."""
BY_HAND = frozenset({Way.PHONE, Way.LETTER})
"""Rungs on which people of the team do the work."""


class Release(StrEnum):
    """Who lets the next wave go."""

    PERSON = "person"  # somebody looks and releases it
    DESK = "desk"  # it goes by itself as soon as the desk can cope


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Audience(_Frozen):
    """Whom a campaign is for; what is not asked for does not matter."""

    categories: tuple[Category, ...] = ()  # any of these
    clinics: tuple[str, ...] = ()  # any of these, as the roster names them
    languages: tuple[Language, ...] = ()
    minors: bool | None = None
    staff: bool | None = None
    holds: tuple[str, str] | None = None  # a notice and its version that the person has been told
    lacks: tuple[str, str] | None = None  # one that the person has not


class Caps(_Frozen):
    """What may not be passed; None is no limit."""

    messages: int | None = Field(None, ge=0)
    segments: int | None = Field(None, ge=0)
    cost: float | None = Field(None, ge=0)  # HK$
    per_hour: int | None = Field(None, ge=1)  # messages


class Plan(_Frozen):
    """Everything about a campaign but its text and its people."""

    audience: Audience = Audience()
    form: Literal[Variant.STANDARD, Variant.SHARED] = Variant.STANDARD  # shared: everybody gets the form for shared addresses
    ladder: tuple[Way, ...] = (Way.EMAIL, Way.SMS, Way.WHATSAPP, Way.PHONE, Way.LETTER)
    receipt_hours: float = Field(72, gt=0)  # without a receipt for so long, the next rung begins
    waves: tuple[int, ...] = (500, 5000, 20000)  # people in each; the rest is the last one
    release: Release = Release.PERSON
    quiet_from: time = time(21)
    quiet_until: time = time(9)  # in Hong Kong
    quiet_override: str = ""  # why it may ring at night
    per_second: dict[Way, float] = Field(default_factory=lambda: {Way.EMAIL: 5000.0, Way.SMS: 10.0, Way.WHATSAPP: 10.0})
    whatsapp_per_day: int = Field(250, ge=0)  # people written to first, in any 24 hours (Meta's portfolio limit)
    caps: Caps = Caps()
    prices: dict[Way, float] = Field(
        default_factory=lambda: {Way.EMAIL: 0.005, Way.SMS: 0.6, Way.WHATSAPP: 0.3, Way.PHONE: 0.0, Way.LETTER: 4.0}
    )  # HK$ a message or segment
    deadline: AwareDatetime | None = None
    sender_override: str = ""  # why text messages may go out under a sender without the registered `#`

    def quiet_end(self, channel: Way, at: datetime) -> datetime | None:
        """When the quiet hours end that it is now; None when it is not quiet or the channel makes no noise."""
        if channel not in QUIET or self.quiet_override or self.quiet_from == self.quiet_until:
            return None
        here = in_hong_kong(at)
        now, over_night = here.time(), self.quiet_from > self.quiet_until
        inside = (now >= self.quiet_from or now < self.quiet_until) if over_night else self.quiet_from <= now < self.quiet_until
        if not inside:
            return None
        end = datetime.combine(here.date(), self.quiet_until, HONG_KONG)
        return end if end > here else end + timedelta(days=1)

    def price_micros(self, channel: Way, parts: int) -> int:
        """The cost of one message in millionths of HK$."""
        return round(self.prices.get(channel, 0.0) * max(parts, 1) * 1_000_000)


def plan_of(stored: dict[str, Any]) -> Plan:
    """A plan as it was stored or given; raises BadInput naming what is wrong with it."""
    try:
        plan = Plan.model_validate(stored)
    except ValidationError as wrong:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors(include_input=False)]
        raise BadInput("The plan is wrong. " + "; ".join(lines)) from None
    if not plan.ladder or len(set(plan.ladder)) != len(plan.ladder):
        raise BadInput("The ladder needs at least one rung, and each only once.")
    if missing := [way.value for way in plan.ladder if way not in BY_HAND and plan.per_second.get(way, 0) <= 0]:
        raise BadInput(f"The plan says no pace for {', '.join(missing)}.")
    if any(size < 1 for size in plan.waves):
        raise BadInput("A wave has at least one person.")
    return plan


def digest_of(stored: dict[str, Any]) -> str:
    """What tells one plan from another."""
    return _digest(stored)


def digests_of(plan: Plan, text: str, recipients: str) -> dict[str, str]:
    """What an approval is bound to: digests of text, recipients, ladder and pace."""
    stored = plan.model_dump(mode="json")
    ladder = {name: stored.pop(name) for name in ("ladder", "receipt_hours")}
    return {"text": text, "recipients": recipients, "ladder": _digest(ladder), "pace": _digest(stored)}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
