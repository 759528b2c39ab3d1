"""E-mail through SendGrid over its official library: sending, signed events, and Inbound Parse behind a secret path."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot.base.errors import AccountFailure, NotAuthentic, Unconfigured
from bot.channels import letters
from bot.channels.base import DeliveryEvent, Hook, HookKind, Incoming, Kept, Mailing, Outcome, Outgoing, Sent, Suppressed

if TYPE_CHECKING:
    from bot.channels.sendgrid_calls import Calls

ARGUMENT = "candour"
"""The custom argument that carries our opaque id; nothing else about a patient goes with an e-mail."""
EVENTS_MOST = 5000
NOT_READ = "file"

OUTCOMES = {
    **dict.fromkeys(("processed", "deferred"), Outcome.SENT),
    **dict.fromkeys(("delivered", "open", "click"), Outcome.DELIVERED),
    **dict.fromkeys(("bounce", "dropped"), Outcome.FAILED),
}
"""SendGrid's events; others change nothing."""


@dataclass
class Email:
    """The channel `email`."""

    api_key: str = field(repr=False)
    webhook_key: str
    inbound_secret: str = field(repr=False)
    own: Sequence[str] = ()
    sender_name: str = ""
    base_url: str = ""
    timeout_s: float = 15.0

    name = "email"
    PAGE = 500
    hooks = frozenset({HookKind.SENDGRID_EVENTS, HookKind.SENDGRID_INBOUND})

    def authenticate(self, hook: Hook) -> None:
        """Check the signature of events, and for incoming e-mail the secret in its address."""
        if hook.kind is HookKind.SENDGRID_INBOUND:
            if not self.inbound_secret:
                raise Unconfigured("no secret for incoming e-mail is set")
            if not hmac.compare_digest(hook.secret.encode("utf-8", "replace"), self.inbound_secret.encode()):
                raise NotAuthentic("the address of incoming e-mail is secret")
            return
        if not self.webhook_key:
            raise Unconfigured("no key for SendGrid's signatures is set")
        signature = hook.headers.get("x-twilio-email-event-webhook-signature", "")
        stamp = hook.headers.get("x-twilio-email-event-webhook-timestamp", "")
        from sendgrid.helpers.eventwebhook import EventWebhook  # 9 MB: only for whoever has such hooks

        try:
            is_genuine = EventWebhook(self.webhook_key).verify_signature(hook.body.decode("utf-8"), signature, stamp)
        except (ValueError, UnicodeError, binascii.Error):
            is_genuine = False
        if not (is_genuine and stamp):
            raise NotAuthentic("not signed by SendGrid")

    def keep(self, hook: Hook) -> Kept:
        """Events as they came; of an e-mail its words and headers, never its attachments."""
        if hook.kind is HookKind.SENDGRID_EVENTS:
            body = base64.b64encode(hook.body).decode()
            return Kept(hashlib.sha256(hook.body).hexdigest(), {"body": body})
        try:
            fields = letters.fields_of(hook.content_type, hook.body)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            fields = {"attachments": "0"}
        content = {name: value for name, value in fields.items() if name != "charsets"}
        return Kept(hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "replace")).hexdigest(), content)

    def parse_incoming(self, content: Mapping[str, str]) -> list[Incoming]:
        """The turn in an e-mail; who no person wrote it is told by `automatic`."""
        if "attachments" not in content:
            return []
        named = letters.recipients(content)
        own = next((one for one in named if one in {address.lower() for address in self.own}), "") or (named or [""])[0]
        letter = letters.letter_of(content)
        unique = letter["id"] or json.dumps(dict(content), sort_keys=True)
        return [
            Incoming(
                channel=self.name,
                own=own[:255],
                their=letters.sender(content),
                external_id=letters.turn_id(unique),
                text=letters.question(content),
                attached=NOT_READ if content["attachments"] != "0" else "",
                letter=letter,
                automatic=letters.no_person(content, self.own) or ("" if own else "no_recipient"),
            )
        ]

    def parse_events(self, content: Mapping[str, str]) -> list[DeliveryEvent]:
        """The delivery events in a post of SendGrid's."""
        try:
            posted = json.loads(base64.b64decode(content.get("body", ""), validate=True))
        except (ValueError, RecursionError):
            return []
        found = []
        for event in posted[:EVENTS_MOST] if isinstance(posted, list) else []:
            outcome = OUTCOMES.get(str(event.get("event")).lower()) if isinstance(event, dict) else None
            if outcome is not None:
                found.append(_event(event, outcome))
        return found

    def send(self, outgoing: Outgoing) -> Sent:
        """Send one e-mail; raises a ChannelError."""
        mail = self._mail(outgoing)
        return self._calls.send(mail)

    def send_many(self, mailing: Mailing) -> Sent:
        """Send the same e-mail to several people in one request; raises a ChannelError, which is about all of them."""
        off = {"enable": False}
        mail: dict[str, Any] = {
            "personalizations": [
                {"to": [{"email": one.their}], "custom_args": {ARGUMENT: one.reference}, "substitutions": dict(one.values)}
                for one in mailing.copies
            ],
            "from": {"email": mailing.own, **({"name": self.sender_name} if self.sender_name else {})},
            "reply_to": {"email": mailing.own},
            "subject": mailing.subject,
            "content": [{"type": "text/plain", "value": mailing.plain}, {"type": "text/html", "value": mailing.html}],
            "headers": {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
            "tracking_settings": {"click_tracking": {**off, "enable_text": False}, "open_tracking": off},
        }
        return self._calls.send(mail)

    def ask(self) -> str:
        """Whether the key may send mail."""
        if "mail.send" not in self._calls.scopes():
            raise AccountFailure("SendGrid's key may not send mail")
        return "the key may send mail"

    def suppressed(self, name: str, since: int, skip: int) -> list[Suppressed]:
        """A page of one of SendGrid's suppression lists, the newest first; raises a ChannelError."""
        return self._calls.suppressed(name, since, skip)

    def unsubscribed(self) -> Iterable[tuple[int, list[str]]]:
        """The members of each unsubscribe group; raises a ChannelError."""
        return self._calls.unsubscribed()

    @cached_property
    def _calls(self) -> Calls:
        if not self.api_key:
            raise Unconfigured("no SendGrid key is set")
        from bot.channels.sendgrid_calls import Calls

        return Calls(self.api_key, self.base_url, self.timeout_s)

    def _mail(self, outgoing: Outgoing) -> dict[str, Any]:
        off = {"enable": False}
        sender = {"email": outgoing.own, **({"name": self.sender_name} if self.sender_name else {})}
        return {
            "personalizations": [{"to": [{"email": outgoing.their}], "custom_args": {ARGUMENT: outgoing.reference}}],
            "from": sender,
            "reply_to": {"email": outgoing.own},
            "subject": outgoing.letter.get("title") or self._subject(outgoing.letter.get("subject", "")),
            "content": [{"type": "text/plain", "value": outgoing.text}],
            "headers": self._headers(outgoing),
            "tracking_settings": {"click_tracking": {**off, "enable_text": False}, "open_tracking": off},
        }

    def _subject(self, subject: str) -> str:
        if not subject:
            return self.sender_name or "Candour"
        return subject if letters.is_reply(subject) else f"Re: {subject}"

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        # Marked as automatic (RFC 3834), so that no out-of-office answers us.
        marks = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
        answered = outgoing.letter.get("id", "")
        if not answered:
            return marks
        earlier = outgoing.letter.get("references", "").split()
        return {**marks, "In-Reply-To": answered, "References": " ".join([*earlier, answered])[-900:]}


def _event(event: Mapping[str, Any], outcome: Outcome) -> DeliveryEvent:
    status = str(event.get("status") or "") if outcome is Outcome.FAILED else ""
    reasons = {"bounce": "the mailbox does not take it", "dropped": "SendGrid does not send to this address"}
    return DeliveryEvent(
        reference=str(event.get(ARGUMENT) or "")[:64],
        provider_id=str(event.get("sg_message_id") or "").partition(".")[0][:80],
        outcome=outcome,
        code=status[:20],
        reason=reasons.get(str(event.get("event")), ""),
    )
