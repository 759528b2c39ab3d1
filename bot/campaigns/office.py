"""Everything that sending works with, and nothing of the desk: its load comes as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.campaigns.texts import Texts
from bot.channels.base import Channel, Mailing, Sent

Gate = Callable[[Session, datetime], str]
"""Why no further wave may begin just now, in words; empty when it may."""


class Mailer(Protocol):
    """A channel that takes one e-mail for many people."""

    def send_many(self, mailing: Mailing) -> Sent:
        """One request; raises a ChannelError about all of it."""


@dataclass(frozen=True)
class Office:
    """What the functions of sending are given."""

    database: Database
    vault: Vault
    index: BlindIndex
    texts: Texts
    channels: Mapping[str, Channel]
    own: Mapping[str, str]
    """Our own address per channel."""
    clock: Clock
    holder: str
    is_live: bool = False
    """Whether patients may be reached at all; without it campaigns only send tests."""
    reaches_patients: bool = False
    """Whether what leaves really reaches people: not while both providers are the simulator on this machine."""
    sms_sender: str = ""
    """The registered sender id under which text messages leave; without it our own number, which patients can answer."""
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """All our addresses per channel: a patient who stops messages on one wants none from the others."""
    allowed: frozenset[str] = field(default=frozenset(), repr=False)
    """Addresses that test sends may reach."""
    lease_s: float = 120.0
    """Longer than any call takes, a request split among its people too: after that whoever called is dead."""
    gate: Gate = lambda session, at: ""

    def sends_as(self, channel: str) -> str:
        """What notices of a channel are sent from."""
        return (self.sms_sender if channel == "sms" else "") or self.own.get(channel, "")

    def sender(self, channel: str) -> str:
        """Under which name the pace of a channel is kept."""
        return f"{channel}:{self.sends_as(channel)}"
