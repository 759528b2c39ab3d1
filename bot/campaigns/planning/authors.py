"""Who has had a hand in a campaign: none of them is the second person that approves it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.audit import AuditEntry
from bot.campaigns.models import Campaign

WROTE = ("campaign.created", "campaign.changed", "campaign.submitted")


def authors(session: Session, campaign: Campaign) -> frozenset[str]:
    """Everybody who wrote, changed or submitted it, according to its row and to the sealed log; in small letters."""
    logged = (AuditEntry.subject == f"campaign:{campaign.id}", AuditEntry.kind.in_(WROTE))
    known = {campaign.by, campaign.submitted_by or "", *session.scalars(select(AuditEntry.actor).where(*logged).distinct())}
    return frozenset(one.casefold() for one in known if one)
