"""Which Messages create requests Twilio refuses at once, in the order it looks at them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from simulator import magic
from simulator.configuration import Sender, Service, Twilio, plain
from simulator.twilio import contents
from simulator.twilio.errors import SENTENCES, Refused
from simulator.world import World

E164 = re.compile(r"\+[1-9]\d{6,14}")
SHORT_CODE = re.compile(r"\d{3,8}")
ALPHANUMERIC = re.compile(r"#?(?=.*[A-Za-z])[A-Za-z0-9 ._&+-]{1,11}")
BODY_MOST = 1_600
TEMPLATE_MOST = 1_024
MEDIA_MOST = 10
SOONEST_S, LATEST_S = 300.0, 35 * 86_400.0
VALIDITY_MOST_S = 36_000


@dataclass(frozen=True)
class Wanted:
    """A create request that Twilio takes."""

    channel: str
    recipient: str
    sender: str | None
    service: Service | None
    body: str
    media: list[str] = field(default_factory=list)
    content: dict[str, Any] | None = None
    callback: str = ""
    send_at: float | None = None
    validity_s: float = VALIDITY_MOST_S
    smart: bool = False
    retention: dict[str, str] = field(default_factory=dict)


class Form:
    """The parameters of a request; of a repeated one the last counts, `MediaUrl` may be repeated."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str) -> str:
        """The value, or an empty text."""
        return next((value for key, value in reversed(self._pairs) if key == name), "")

    def has(self, name: str) -> bool:
        """Whether the parameter was given, even empty."""
        return any(key == name for key, _ in self._pairs)

    def every(self, name: str) -> list[str]:
        """All values of a repeated parameter."""
        return [value for key, value in self._pairs if key == name and value]


def check(world: World, form: Form) -> Wanted:
    """Look at a create request; raises Refused (docs: Messages resource, Create a Message)."""
    twilio = world.configuration.twilio
    channel, recipient = _recipient(form)
    sender, service = _origin(twilio, form, channel)
    _reachable(world, channel, recipient, sender)
    body, content = _text(world, form)
    media = _media(form)
    if not body and content is None and not media:
        raise Refused(21619)
    return Wanted(
        channel=channel,
        recipient=recipient,
        sender=sender.number if sender else None,
        service=service,
        body=body,
        media=media,
        content=content,
        callback=_callback(form),
        send_at=_send_at(world, form, service),
        validity_s=_validity(form),
        smart=_truth(form, "SmartEncoded", default=service is not None),
        retention=_retention(form),
    )


def _recipient(form: Form) -> tuple[str, str]:
    given = form.get("To").strip()
    if not given:
        raise Refused(21604)
    channel, number = ("whatsapp", given[9:]) if given.lower().startswith("whatsapp:") else ("sms", given)
    number = re.sub(r"[\s().-]", "", number)
    if not E164.fullmatch(number) or (number.startswith("+852") and len(number) != 12):
        raise Refused(21211, given)
    return channel, f"whatsapp:{number}" if channel == "whatsapp" else number


def _origin(twilio: Twilio, form: Form, channel: str) -> tuple[Sender | None, Service | None]:
    """Docs: Messages resource (From or MessagingServiceSid); Test Credentials (magic From numbers)."""
    given, sid = form.get("From").strip(), form.get("MessagingServiceSid").strip()
    if not sid and given.startswith("MG"):
        given, sid = "", given
    service = twilio.service(sid) if sid else None
    if sid and service is None:
        raise Refused(21701, sid)
    if not given and service is None:
        raise Refused(21603)
    if not given:
        return None, service
    if (given.lower().startswith("whatsapp:")) != (channel == "whatsapp"):
        raise Refused(21910)
    if given in magic.SENDERS:
        raise Refused(magic.SENDERS[given], given)
    if given == magic.WORKING_SENDER:
        return Sender(number=given, mps=1_000), service
    sender = twilio.sender(given)
    if sender is None:
        raise Refused(63007) if channel == "whatsapp" else Refused(21606 if _is_sender(given) else 21212, given)
    return sender, service


def _is_sender(text: str) -> bool:
    return any(kind.fullmatch(text) for kind in (E164, SHORT_CODE, ALPHANUMERIC))


def _reachable(world: World, channel: str, recipient: str, sender: Sender | None) -> None:
    """Docs: Errors 21266, 21408 (Geo Permissions), 21608 (trial), 21610 (opt-out), 21612, 21614 (HK guideline: landlines)."""
    twilio, number = world.configuration.twilio, plain(recipient)
    if sender and sender.number == recipient:
        raise Refused(21266, recipient)
    fate = magic.of_number(number, world.configuration.fates)
    if fate and fate.code in SENTENCES:
        raise Refused(fate.code, number)
    if channel == "sms" and not number.startswith(tuple(twilio.regions)):
        raise Refused(21408, number)
    if twilio.trial and number not in twilio.verified:
        raise Refused(21608, number)
    if channel == "sms" and number.startswith(tuple(twilio.landlines)):
        raise Refused(21614, number)


def _text(world: World, form: Form) -> tuple[str, dict[str, Any] | None]:
    """Docs: Messages resource (Body); Content API, Send templates (ContentSid, ContentVariables); Errors 21617, 21655, 21656."""
    body, sid = form.get("Body"), form.get("ContentSid").strip()
    if len(body) > BODY_MOST:
        raise Refused(21617)
    if not sid:
        return body, None
    content = contents.known(world, sid)
    if content is None:
        raise Refused(21655, sid)
    text = filled(content, _variables(form.get("ContentVariables")))
    if len(text) > TEMPLATE_MOST:
        raise Refused(63021)
    return text, {"sid": sid, "is_approved": content["approval"] == "approved"}


def _variables(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(21656) from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused(21656)
    return found


def filled(content: dict[str, Any], given: dict[str, str]) -> str:
    """A template's text with its variables put in; the template's samples stand in for those not given; raises Refused."""
    values = {**content["variables"], **given}

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise Refused(21656)
        return str(values[name])

    return re.sub(r"\{\{(\w+)\}\}", value, content["body"])


def _media(form: Form) -> list[str]:
    media = form.every("MediaUrl")
    if len(media) > MEDIA_MOST:
        raise Refused(21623)
    if not all(_is_url(url) for url in media):
        raise Refused(21620)
    return media


def _callback(form: Form) -> str:
    url = form.get("StatusCallback").strip()
    if url and not _is_url(url):
        raise Refused(21609, url)
    return url


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and len(text) <= 2_000
    except ValueError:
        return False


def _send_at(world: World, form: Form, service: Service | None) -> float | None:
    """Docs: Message Scheduling; Errors 35111, 35115, 35118."""
    given, kind = form.get("SendAt").strip(), form.get("ScheduleType").strip()
    if not kind:
        return None
    if kind != "fixed":
        raise Refused(20001, "ScheduleType")
    if service is None:
        raise Refused(35118)
    if not given:
        raise Refused(35111)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise Refused(35115) from None
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not SOONEST_S < at - world.clock.now() <= LATEST_S:
        raise Refused(35115)
    return at


def _validity(form: Form) -> float:
    """Docs: Messages resource, ValidityPeriod: 1 to 36,000 seconds."""
    given = form.get("ValidityPeriod").strip()
    if not given:
        return VALIDITY_MOST_S
    if not given.isdecimal() or not 1 <= int(given[:9]) <= VALIDITY_MOST_S:
        raise Refused(20001, "ValidityPeriod")
    return float(given)


def _truth(form: Form, name: str, *, default: bool) -> bool:
    given = form.get(name).strip().lower()
    if given not in ("", "true", "false"):
        raise Refused(20001, name)
    return given == "true" if given else default


def _retention(form: Form) -> dict[str, str]:
    """Docs: Messages resource, ContentRetention and AddressRetention."""
    allowed = {"ContentRetention": ("retain", "discard"), "AddressRetention": ("retain", "obfuscate")}
    found = {name: form.get(name) for name in allowed if form.get(name)}
    for name, value in found.items():
        if value not in allowed[name]:
            raise Refused(20001, name)
    return found
