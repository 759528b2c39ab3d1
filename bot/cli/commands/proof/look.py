"""What `doctor` says of letters and authorities: what letters are set with, what is overdue, what may be emptied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.base.errors import Misconfigured, NotPublished
from bot.base.settings import Settings
from bot.campaigns.content import press
from bot.campaigns.content.template import LANGUAGES
from bot.campaigns.figures import everyone
from bot.cli.reach import Said
from bot.conversations.speaking.publication import Library
from bot.purge import ENDED, has_addresses
from bot.regulators import filings


def paper(_settings: Settings) -> Iterator[Said]:
    """Whether letters and reports can be set: the compiler comes with us, the fonts with the system."""
    try:
        fonts = sorted({press.checked_font(language) for language in LANGUAGES})
    except Misconfigured as missing:
        yield "letters", None, str(missing)
        return
    yield "letters", True, f"set with {' and '.join(fonts)}"


def authorities(session: Session, at: datetime) -> Iterator[Said]:
    """What the authorities should have been told by now."""
    try:
        found = filings.standings(session, Library(), at)
    except NotPublished:
        return
    for one in found:
        if one.is_overdue(at):
            yield f"report to {one.authority.name}", False, f"overdue ({one.why}); `./candour regulators list`"
        elif one.open is not None:
            yield f"report to {one.authority.name}", None, f"document {one.open.id} is {one.open.status}"


def emptying(session: Session, settings: Settings, at: datetime) -> Iterator[Said]:
    """Campaigns whose addresses have been kept for as long as they should be."""
    kept = timedelta(days=settings.campaign_addresses_kept_days)
    for one in everyone(session):
        if one.status in ENDED and one.ended_at and one.ended_at + kept < at and has_addresses(session, one.id):
            yield f"campaign {one.name}", None, f"its addresses may go: `./candour campaign purge {one.name}`"
