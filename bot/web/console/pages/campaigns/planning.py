"""The form of a plan: its fields out of a plan, and a plan out of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.errors import BadInput
from bot.campaigns.plan import BY_HAND, Plan, plan_of
from bot.patients.models import Way
from bot.web.console.fields import Sent

RUNGS = tuple(range(1, 6))
_LISTS = ("category", "clinic", "language")
_ANY = {"yes": True, "no": False}


def fields_of(plan: Plan) -> dict[str, Any]:
    """What stands in the form for a plan."""
    audience, caps = plan.audience, plan.caps
    local = in_hong_kong(plan.deadline).strftime("%Y-%m-%dT%H:%M") if plan.deadline else ""
    return {
        "category": [one.value for one in audience.categories],
        "clinic": list(audience.clinics),
        "language": [one.value for one in audience.languages],
        "minors": _said(audience.minors),
        "staff": _said(audience.staff),
        "holds": "|".join(audience.holds or ()),
        "lacks": "|".join(audience.lacks or ()),
        "form": plan.form.value,
        **{f"rung{place}": plan.ladder[place - 1].value if place <= len(plan.ladder) else "" for place in RUNGS},
        "receipt_hours": f"{plan.receipt_hours:g}",
        "waves": ", ".join(map(str, plan.waves)),
        "release": plan.release.value,
        "quiet_from": f"{plan.quiet_from:%H:%M}",
        "quiet_until": f"{plan.quiet_until:%H:%M}",
        "quiet_override": plan.quiet_override,
        **{f"pace_{way.value}": f"{plan.per_second.get(way, 0):g}" for way in Way if way not in BY_HAND},
        "whatsapp_per_day": str(plan.whatsapp_per_day),
        **{f"cap_{name}": "" if value is None else f"{value:g}" for name, value in caps.model_dump().items()},
        "deadline": local,
        "sender_override": plan.sender_override,
    }


def fields_sent(sent: Sent) -> dict[str, Any]:
    """What somebody typed, for the form to show again."""
    blank = fields_of(Plan())
    return {name: sent.all(name) if name in _LISTS else sent.raw(name)[:300] for name in blank}


def plan_from(sent: Sent, before: Plan) -> Plan:
    """The plan of a form; what it does not ask for stays as it was. Raises BadInput naming what is wrong."""
    stored: dict[str, Any] = before.model_dump(mode="json")
    stored["audience"] = {
        "categories": sent.all("category"),
        "clinics": sent.all("clinic"),
        "languages": sent.all("language"),
        "minors": _ANY.get(sent.get("minors")),
        "staff": _ANY.get(sent.get("staff")),
        "holds": _pair(sent.get("holds")),
        "lacks": _pair(sent.get("lacks")),
    }
    stored["ladder"] = [sent.get(f"rung{place}") for place in RUNGS if sent.get(f"rung{place}")]
    stored["waves"] = [_number(one) for one in sent.get("waves").replace("，", ",").split(",") if one.strip()]
    stored["per_second"] = {**stored["per_second"], **_paces(sent)}
    stored["caps"] = {name: _perhaps(sent.get(f"cap_{name}")) for name in ("messages", "segments", "cost", "per_hour")}
    for name in ("form", "receipt_hours", "release", "quiet_from", "quiet_until", "quiet_override", "sender_override"):
        stored[name] = sent.get(name, 300) or stored[name] if name in ("form", "release") else sent.get(name, 300)
    stored["whatsapp_per_day"] = sent.get("whatsapp_per_day")
    stored["deadline"] = _moment(sent.get("deadline"))
    return plan_of(stored)


def _said(flag: bool | None) -> str:
    return "" if flag is None else "yes" if flag else "no"


def _pair(text: str) -> list[str] | None:
    name, bar, version = text.partition("|")
    return [name, version] if bar else None


def _paces(sent: Sent) -> Mapping[str, str]:
    return {way.value: sent.get(f"pace_{way.value}") for way in Way if way not in BY_HAND}


def _number(text: str) -> int:
    try:
        return int(text.strip().replace("_", "x"))
    except ValueError:
        raise BadInput("A number has only digits.") from None


def _perhaps(text: str) -> str | None:
    return text.replace(",", "") or None


def _moment(text: str) -> str | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).astimezone(UTC).isoformat()
    except ValueError:
        raise BadInput("Choose a time.") from None
