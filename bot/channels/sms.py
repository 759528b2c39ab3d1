"""SMS through Twilio, on any number of our own numbers."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channels import twilio
from bot.channels.base import DeliveryEvent, Hook, Incoming, Kept, Outgoing, Sent


class Sms:
    """The channel `sms`."""

    name = "sms"
    hooks = twilio.HOOKS

    def __init__(self, account: twilio.Account) -> None:
        self._account = account

    def authenticate(self, hook: Hook) -> None:
        """Return when Twilio signed it."""
        self._account.authenticate(hook)

    def keep(self, hook: Hook) -> Kept:
        """The form and its id."""
        return self._account.keep(hook)

    def parse_incoming(self, content: Mapping[str, str]) -> list[Incoming]:
        """The turn of an incoming SMS."""
        return twilio.incoming(self.name, content, "")

    def parse_events(self, content: Mapping[str, str]) -> list[DeliveryEvent]:
        """What became of something that was sent."""
        return twilio.events(content, "")

    def send(self, outgoing: Outgoing) -> Sent:
        """Send a text as it is: no smart encoding, which would alter it."""
        return self._account.create(
            to=outgoing.their,
            from_=outgoing.own,
            body=outgoing.text,
            status_callback=self._account.callback(outgoing.reference),
            smart_encoded=False,
        )

    def ask(self) -> str:
        """The account's status."""
        return self._account.ask()
