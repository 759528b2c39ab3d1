"""Putting the application together from its settings, once per process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from bot.answering import Mind
from bot.base.clock import Clock, system_clock
from bot.base.database import Database
from bot.base.settings import Settings
from bot.base.tasks import Doorbell, make_huey
from bot.base.vault import BlindIndex, Vault
from bot.campaigns.approved import ApprovedTexts
from bot.campaigns.office import Office
from bot.channels.base import Channel
from bot.channels.registry import channels
from bot.conversations.engine import Engine
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library
from bot.deeds.carrying import Deeds
from bot.desk.sight.load import load
from bot.identity.flow import Identity
from bot.identity.limits import Limits
from bot.inbox import Inbox

HURRIED_S = 1.5
"""Seconds that help for words of danger waits for what the engine thinks of them."""


@dataclass(frozen=True)
class Application:
    """Everything a process of Candour works with."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    index: BlindIndex
    doorbell: Doorbell
    engine: Engine
    library: Library
    inbox: Inbox
    channels: Mapping[str, Channel] = field(default_factory=dict)
    hurried: Engine | None = None
    """The same engine asked with less patience, where words of danger were found."""

    def close(self) -> None:
        """Let go of connections and files."""
        self.doorbell.close()
        self.engine.close()
        if self.hurried:
            self.hurried.close()
        self.database.close()


def open_application(settings: Settings, clock: Clock = system_clock) -> Application:
    """The application of these settings; raises Misconfigured or BadInput when something it needs is missing or wrong."""
    database = Database(settings.database)
    vault, index = Vault(settings.secret("vault_keys")), BlindIndex(settings.secret("index_keys"))
    engine = Engine(settings.engine, settings.secret("engine_token"), timeout_s=settings.engine_timeout_s)
    library = Library()
    # The words of danger and the official numbers act before anything is published: they are read from the files.
    official = official_numbers(proposal.read_incident(settings.data))
    hurried = Engine(settings.engine, settings.secret("engine_token"), timeout_s=min(HURRIED_S, settings.engine_timeout_s))
    mind = Mind(engine, Lexicon.load(settings.data / "safety.yml"), official, hurried)
    identity = Identity(vault, index, limits_of(settings))
    return Application(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        index=index,
        doorbell=Doorbell(make_huey(settings)),
        engine=engine,
        library=library,
        inbox=Inbox(database, vault, mind, library, clock, identity, Deeds(vault, index, library)),
        channels=channels(settings, clock),
        hurried=hurried,
    )


def office_of(
    settings: Settings,
    *,
    database: Database,
    vault: Vault,
    index: BlindIndex,
    channels: Mapping[str, Channel],
    library: Library,
    clock: Clock,
    holder: str,
) -> Office:
    """What campaigns are sent with, under these settings."""
    own = {channel: (settings.own_addresses(channel) or ("",))[0] for channel in channels}
    return Office(
        database=database,
        vault=vault,
        index=index,
        texts=ApprovedTexts(database, library, content_ids=settings.notice_templates),
        channels=channels,
        own=own,
        lines={channel: tuple(settings.own_addresses(channel)) for channel in channels},
        clock=clock,
        holder=holder,
        is_live=settings.campaigns_live or settings.reaches_nobody,
        reaches_patients=settings.campaigns_live and not settings.reaches_nobody,
        sms_sender=settings.campaign_sender.strip(),
        allowed=frozenset(one.strip() for one in settings.campaign_test_addresses.split(",") if one.strip()),
        lease_s=8 * settings.provider_timeout_s,
        gate=partial(_desk_copes, settings.campaign_desk_cases),
    )


def office_for(application: Application, holder: str) -> Office:
    """The same for a process that has all of Candour open."""
    return office_of(
        application.settings,
        database=application.database,
        vault=application.vault,
        index=application.index,
        channels=application.channels,
        library=application.library,
        clock=application.clock,
        holder=holder,
    )


def _desk_copes(most: int, session: Session, at: datetime) -> str:
    """Why no further wave of notices may begin, in words; empty when the desk can cope."""
    now = load(session, at)
    if now.waiting > most:
        return f"{now.waiting} cases wait at the desk; the limit is {most}."
    return ""


def limits_of(settings: Settings) -> Limits:
    """The limits of identity checks, with what an operator sets."""
    countries = frozenset(code.strip().removeprefix("+") for code in settings.code_countries.split(","))
    return Limits(system_day=settings.limit_codes_day, countries=countries)


def official_numbers(content: Mapping[str, Any]) -> frozenset[str]:
    """The telephone numbers among facts and contacts, digits only; the guard leaves them readable."""
    values = [fact["value"] for section in ("facts", "contacts") for fact in content[section].values()]
    found = (match for value in values if isinstance(value, str) for match in re.findall(r"\+?\d[\d ]{1,}\d", value))
    return frozenset(re.sub(r"\D", "", match) for match in found)
