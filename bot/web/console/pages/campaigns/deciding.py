"""The second person: approves exactly what was submitted and shown, or sends it back with a reason."""

from __future__ import annotations

from fastapi import Response

from bot.campaigns import figures, life
from bot.web.console.answers import go_to
from bot.web.console.notices import said
from bot.web.console.pages.campaigns.place import Second, office, place_of, router

PARTS = ("text", "recipients", "ladder", "pace")
"""What an approval is bound to."""


@router.post("/campaigns/{campaign_id}/approve")
def approve(staff: Second, campaign_id: int) -> Response:
    """Approve the digests that stood on the page."""
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id)
    seen = {part: staff.sent.get(f"digest_{part}", 64) for part in PARTS}
    life.approve(office(staff), campaign.name, by=staff.actor, digests=seen)
    return go_to(staff, place_of(campaign), said("campaigns.approved"))


@router.post("/campaigns/{campaign_id}/send-back")
def send_back(staff: Second, campaign_id: int) -> Response:
    """Not like this."""
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        life.send_back(session, staff.vault, campaign, why=staff.sent.get("why", 300), by=staff.actor, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.sent_back"))
