"""Twilio over its official library: one account that SMS and WhatsApp share.

Signatures are checked by the library's RequestValidator over the exact public address; what calls Twilio
is loaded with the first call (`twilio_calls`). Nothing of a request is logged.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from bot.base.errors import NotAuthentic, Unconfigured
from bot.channels.base import DeliveryEvent, Hook, HookKind, Incoming, Kept, Outcome, Sent
from bot.channels.failures import Fate, failure

if TYPE_CHECKING:
    from bot.channels.twilio_calls import Calls

HOOKS = frozenset({HookKind.TWILIO_MESSAGES, HookKind.TWILIO_STATUS})
FIELDS_MOST = 500
_NUMBER = re.compile(r"\+[0-9]{7,15}")
OVERRIDES = "#rc=3&rp=all"
"""Connection overrides: Twilio tries a callback three times more, whatever went wrong (it signs without them)."""

OUTCOMES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Outcome.SENT),
    **dict.fromkeys(("delivered", "read"), Outcome.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), Outcome.FAILED),
}
"""Twilio's words for a status; others are new to us and change nothing."""


class Form(Mapping[str, str]):
    """A form as Twilio signs it: names to their last value, all values through `getlist`."""

    def __init__(self, body: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="replace")
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        """Every value of a name, as the validator asks for them."""
        return self._values.get(name, [])


@dataclass
class Account:
    """An account at Twilio, or an address that answers like one."""

    sid: str
    token: str = field(repr=False)
    hooks_url: str
    base_url: str = ""
    timeout_s: float = 15.0

    def __post_init__(self) -> None:
        self._validator = RequestValidator(self.token)

    @cached_property
    def _calls(self) -> Calls:
        if not (self.sid and self.token):
            raise Unconfigured("no Twilio account is set")
        from bot.channels.twilio_calls import Calls

        return Calls(self.sid, self.token, self.base_url, self.timeout_s)

    def authenticate(self, hook: Hook) -> None:
        """Check the signature; raises NotAuthentic, or Unconfigured without a token."""
        if not self.token:
            raise Unconfigured("no Twilio token is set")
        try:
            form = Form(hook.body)
            is_genuine = self._validator.validate(hook.url, form, hook.headers.get("x-twilio-signature", ""))
        except (ValueError, UnicodeError):
            is_genuine = False
        if not is_genuine or not hook.content_type.lower().startswith("application/x-www-form-urlencoded"):
            raise NotAuthentic("not signed by Twilio")

    def keep(self, hook: Hook) -> Kept:
        """The form, known by its message and, for a callback, its status."""
        form = Form(hook.body)
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        identity = f"{sid[:40]}"
        if hook.kind is HookKind.TWILIO_STATUS:
            identity += f":{(form.get('MessageStatus') or '')[:20]}:{(form.get('ErrorCode') or '')[:10]}"
        reference = parse_qs(urlsplit(hook.url).query).get("ref", [""])[0][:64]
        return Kept(identity, {"body": base64.b64encode(hook.body).decode(), "reference": reference})

    def create(self, **parameters: Any) -> Sent:
        """Create a message; raises a ChannelError."""
        return self._calls.create({name: value for name, value in parameters.items() if value is not None})

    def callback(self, reference: str) -> str | None:
        """Where Twilio reports what became of it; none while Twilio could not reach us."""
        return f"{self.hooks_url}/hooks/twilio/status?ref={reference}{OVERRIDES}" if self.hooks_url else None

    def ask(self) -> str:
        """The account's status in Twilio's words, for `doctor --live`; raises a ChannelError."""
        return f"account {self._calls.account()}"

    def approval(self, content_id: str) -> str:
        """How far WhatsApp's approval of a template is, in Twilio's words; raises a ChannelError."""
        return self._calls.approval(content_id)


def form_of(content: Mapping[str, str]) -> Form:
    """The form of a kept hook; an unreadable one is empty."""
    try:
        return Form(base64.b64decode(content.get("body", ""), validate=True))
    except (binascii.Error, ValueError):
        return Form(b"")


def incoming(channel: str, content: Mapping[str, str], prefix: str) -> list[Incoming]:
    """The turn in a kept form when both its addresses are of this channel (`prefix` before the number)."""
    form = form_of(content)
    sid, own, their = form.get("MessageSid") or form.get("SmsSid"), form.get("To", ""), form.get("From", "")
    known = _kind(own) == _kind(their) == prefix and own != prefix and their != prefix
    if not sid or not known or len(their) > 80 or len(own) > 80:
        return []
    return [
        Incoming(
            channel=channel,
            own=own.removeprefix(prefix),
            their=their.removeprefix(prefix),
            external_id=sid[:80],
            text=form.get("Body", "").replace("\0", ""),
            attached=_attached(form),
            keyword=form.get("OptOutType", "").upper(),
            # Names and short codes are machines that nobody can write back to.
            automatic="" if prefix or _NUMBER.fullmatch(their) else "no_number",
        )
    ]


def events(content: Mapping[str, str], prefix: str) -> list[DeliveryEvent]:
    """The delivery event in a kept status callback of this channel; a status we do not know is none."""
    form = form_of(content)
    sid, outcome = form.get("MessageSid") or form.get("SmsSid"), OUTCOMES.get(form.get("MessageStatus", "").lower())
    if not sid or outcome is None or _kind(form.get("To", "")) != prefix:
        return []
    code = _whole(form.get("ErrorCode", ""))
    found = failure(code) if outcome is Outcome.FAILED else None
    return [
        DeliveryEvent(
            reference=content.get("reference", ""),
            provider_id=sid[:80],
            outcome=outcome,
            code=str(code) if code else "",
            reason=found.reason if found else "",
            opts_out=found is not None and found.fate is Fate.OPTED_OUT,
        )
    ]


def _kind(address: str) -> str:
    return address.partition(":")[0] + ":" if ":" in address else ""


def _attached(form: Form) -> str:
    """What came besides the text: the kind of the first medium, or the kind of the whole message."""
    if (form.get("NumMedia") or "0") not in ("0", ""):
        return (form.get("MediaContentType0") or "file").partition("/")[0][:20].lower() or "file"
    if form.get("Latitude"):
        return "location"
    kind = (form.get("MessageType") or "text").lower()
    return "" if kind in ("text", "button", "interactive", "reaction") else kind[:20]


def _whole(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0
