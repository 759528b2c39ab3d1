"""What every channel can do, and the shapes that pass between channels and the rest.

A channel authenticates what its provider posts, reads turns and delivery events out of it, and sends.
It has no tables and no state: what must be remembered is in the rows of who calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable


class HookKind(StrEnum):
    """Every address at which a provider posts to us."""

    TWILIO_MESSAGES = "twilio_messages"  # a patient wrote an SMS or on WhatsApp
    TWILIO_STATUS = "twilio_status"  # what became of something we sent
    SENDGRID_EVENTS = "sendgrid_events"  # what became of our e-mails
    SENDGRID_INBOUND = "sendgrid_inbound"  # a patient wrote an e-mail


@dataclass(frozen=True)
class Hook:
    """One request of a provider as it came: the public address it was made for, headers in lower case, the body's bytes."""

    kind: HookKind
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    secret: str = field(default="", repr=False)

    @property
    def content_type(self) -> str:
        """The whole content type, with its parameters."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True)
class Kept:
    """What of a hook is stored: the id by which a repeat is known, and what is parsed later."""

    provider_id: str
    content: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Incoming:
    """One turn of a patient as a channel reads it; `automatic` says why a person did not write it."""

    channel: str
    own: str
    their: str = field(repr=False)
    external_id: str
    text: str = field(default="", repr=False)
    attached: str = ""  # the kind of what came with it: image, audio, location, contacts …
    keyword: str = ""  # what the provider took it for: STOP, START, HELP
    letter: Mapping[str, str] = field(default_factory=dict, repr=False)  # subject and ids of an e-mail
    automatic: str = ""


class Outcome(StrEnum):
    """What a delivery event says."""

    SENT = "sent"  # the provider has it
    DELIVERED = "delivered"  # the handset or mailbox has it
    FAILED = "failed"  # it did not arrive


@dataclass(frozen=True)
class DeliveryEvent:
    """What became of something we sent; `reference` is the opaque id that travelled with it."""

    reference: str
    provider_id: str
    outcome: Outcome
    code: str = ""
    reason: str = ""
    opts_out: bool = False


@dataclass(frozen=True)
class Template:
    """A text that the provider holds and has had approved, with values for its places."""

    content_id: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Outgoing:
    """One thing to be sent from one of our addresses to one of theirs."""

    own: str
    their: str = field(repr=False)
    text: str = field(repr=False)
    reference: str
    heard_at: datetime | None = None  # when the patient last wrote on this line
    letter: Mapping[str, str] = field(default_factory=dict, repr=False)  # the e-mail this answers, or a `title` of our own
    template: Template | None = None


@dataclass(frozen=True)
class Copy:
    """One person's copy of a mailing: the values that stand in it instead of tokens."""

    their: str = field(repr=False)
    reference: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Mailing:
    """The same e-mail to several people, each of whom sees only their own copy; no address may stand in it twice."""

    own: str
    subject: str = field(repr=False)
    plain: str = field(repr=False)
    html: str = field(repr=False)
    copies: tuple[Copy, ...] = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """What the provider calls what it took."""

    provider_id: str


@dataclass(frozen=True)
class Suppressed:
    """An address that a provider no longer writes to."""

    address: str = field(repr=False)
    created: int  # seconds since 1970
    code: str = ""


@runtime_checkable
class Suppressor(Protocol):
    """A channel whose provider keeps lists of addresses that it does not write to."""

    PAGE: int
    """Entries of one page; fewer are the last."""

    def suppressed(self, name: str, since: int, skip: int) -> list[Suppressed]:
        """A page of a list, the newest first, of entries since then (seconds since 1970); raises a ChannelError."""

    def unsubscribed(self) -> Iterable[tuple[int, list[str]]]:
        """The members of each unsubscribe group; raises a ChannelError."""


class Channel(Protocol):
    """A way to reach patients over a provider."""

    name: str
    hooks: frozenset[HookKind]

    def authenticate(self, hook: Hook) -> None:
        """Return when the provider made this request; raises NotAuthentic, or Unconfigured without a key to check with."""

    def keep(self, hook: Hook) -> Kept:
        """What is stored of an authentic hook, and its id; never raises for odd content."""

    def parse_incoming(self, content: Mapping[str, str]) -> list[Incoming]:
        """The turns on this channel in a kept hook; tolerates unknown words and fields."""

    def parse_events(self, content: Mapping[str, str]) -> list[DeliveryEvent]:
        """The delivery events in a kept hook; tolerates unknown words and fields."""

    def send(self, outgoing: Outgoing) -> Sent:
        """Hand it to the provider; raises a ChannelError whose class decides what happens next."""

    def ask(self) -> str:
        """What the provider says of our account, in words; sends nothing, raises a ChannelError."""


def line(channel: str, own: str, their: str) -> str:
    """One patient's line on one of our addresses as a single text, to be hashed."""
    return "\n".join((channel, own.strip().casefold(), their.strip().casefold()))


def of_hook(channels: Mapping[str, Channel], kind: HookKind) -> list[Channel]:
    """The channels whose provider posts to this address."""
    return [channel for channel in channels.values() if kind in channel.hooks]
