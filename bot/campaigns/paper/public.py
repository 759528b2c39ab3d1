"""Notices to the public for those nobody could reach one by one: what was published is kept, with its digest in the log."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.campaigns import hands
from bot.campaigns.models import Campaign, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.paper.models import Medium, PublicNotice

LARGEST = 50_000_000
"""Bytes of what was published."""


def publish(
    session: Session, office: Office, home: Path, campaign: Campaign, *, medium: Medium, place: str, since: datetime,
    until: datetime | None, file: Path, by: str,
) -> PublicNotice:  # fmt: skip
    """Record a public notice with a scan or copy of it; it stands for everybody left to the team. Raises BadInput."""
    if not place.strip():
        raise BadInput("Say where the notice stands: the page's address, the newspaper and its page.")
    if since > office.clock() or (until is not None and until < since):
        raise BadInput("A notice is recorded once it stands, and it ends after it began.")
    try:
        content = file.read_bytes()
    except OSError:
        raise BadInput(f"{file.name} cannot be read.") from None
    if not content or len(content) > LARGEST:
        raise BadInput(f"What was published has 1 byte to {LARGEST // 1_000_000} MB.")
    digest = hashlib.sha256(content).hexdigest()
    left = (Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.MANUAL.value)
    people = session.scalar(select(func.count()).select_from(Obligation).where(*left)) or 0
    hands.substitute(session, office.vault, campaign, where=place, digest=digest, by=by, at=office.clock())
    ending = file.suffix.lower() if file.suffix[1:].isalnum() and len(file.suffix) < 8 else ""
    row = PublicNotice(
        campaign_id=campaign.id, medium=medium.value, place=place.strip()[:300], since=since, until=until, sha256=digest,
        file=f"{digest[:32]}{ending}", people=people, by=by[:60], at=office.clock(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    path = path_of(home, row)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return row


def path_of(home: Path, row: PublicNotice) -> Path:
    """Where what was published is kept."""
    return home / "public-notices" / row.file
