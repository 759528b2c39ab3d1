"""WhatsApp through Twilio: free texts within 24 hours after the patient wrote, approved templates after that."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.base.clock import Clock
from bot.base.errors import PermanentFailure
from bot.channels import twilio, windows
from bot.channels.base import DeliveryEvent, Hook, Incoming, Kept, Outgoing, Sent

PREFIX = "whatsapp:"


class WhatsApp:
    """The channel `whatsapp`."""

    name = "whatsapp"
    hooks = twilio.HOOKS

    def __init__(self, account: twilio.Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def authenticate(self, hook: Hook) -> None:
        """Return when Twilio signed it."""
        self._account.authenticate(hook)

    def keep(self, hook: Hook) -> Kept:
        """The form and its id."""
        return self._account.keep(hook)

    def parse_incoming(self, content: Mapping[str, str]) -> list[Incoming]:
        """The turn of an incoming WhatsApp message."""
        return twilio.incoming(self.name, content, PREFIX)

    def parse_events(self, content: Mapping[str, str]) -> list[DeliveryEvent]:
        """What became of something that was sent."""
        return twilio.events(content, PREFIX)

    def send(self, outgoing: Outgoing) -> Sent:
        """Send a text, or a template by its content id; raises PermanentFailure for a text outside the window."""
        template = outgoing.template
        if template is None and not windows.is_open(self.name, outgoing.heard_at, self._clock()):
            raise PermanentFailure("WhatsApp allows no free text after 24 hours of silence", code=windows.CLOSED)
        return self._account.create(
            to=PREFIX + outgoing.their,
            from_=PREFIX + outgoing.own,
            body=outgoing.text if template is None else None,
            content_sid=template.content_id if template else None,
            content_variables=json.dumps(dict(template.variables), ensure_ascii=False) if template else None,
            status_callback=self._account.callback(outgoing.reference),
        )

    def ask(self) -> str:
        """The account's status."""
        return self._account.ask()

    def approval(self, content_id: str) -> str:
        """How far the approval of a template is, in Twilio's words; raises a ChannelError."""
        return self._account.approval(content_id)
