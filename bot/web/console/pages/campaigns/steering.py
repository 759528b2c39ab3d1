"""While it runs: start, release a wave, pause, resume, cancel, orders of authorities, doubts settled."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Response

from bot.base.clock import HONG_KONG
from bot.base.errors import BadInput
from bot.campaigns import figures, hands, life
from bot.web.console.answers import go_to
from bot.web.console.notices import said
from bot.web.console.pages.campaigns.place import Runner, Stopper, office, place_of, router


@router.post("/campaigns/{campaign_id}/start")
def start(staff: Runner, campaign_id: int) -> Response:
    """Let the canary go."""
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id)
    life.start(office(staff), campaign.name, by=staff.actor)
    return go_to(staff, place_of(campaign), said("campaigns.started"))


@router.post("/campaigns/{campaign_id}/pause")
def pause(staff: Stopper, campaign_id: int) -> Response:
    """Nothing new leaves from this moment on."""
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        why = staff.sent.get("why", 300) or "Paused by hand."
        life.pause(session, staff.vault, campaign, by=staff.actor, why=why, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.paused"))


@router.post("/campaigns/{campaign_id}/resume")
def resume(staff: Runner, campaign_id: int) -> Response:
    """Go on with whoever has not been written to."""
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        life.resume(session, staff.vault, campaign, by=staff.actor, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.resumed"))


@router.post("/campaigns/{campaign_id}/release")
def release(staff: Runner, campaign_id: int) -> Response:
    """Let the next wave go, as soon as the desk can cope."""
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        if staff.sent.number("wave") != campaign.wave + 1:
            raise BadInput("Another wave is out meanwhile: look at the numbers again.")
        wave = life.release(session, staff.vault, campaign, by=staff.actor, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.released", n=wave))


@router.post("/campaigns/{campaign_id}/cancel")
def cancel(staff: Runner, campaign_id: int) -> Response:
    """End it for good."""
    why = staff.sent.get("why", 300)
    if not why:
        raise BadInput("Say why, in a few words.")
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        life.cancel(session, staff.vault, campaign, by=staff.actor, why=why, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.cancelled"))


@router.post("/campaigns/{campaign_id}/hold")
def hold(staff: Runner, campaign_id: int) -> Response:
    """An authority orders to wait."""
    until = _until(staff.sent.get("until"))
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        given = {"authority": staff.sent.get("authority", 120), "by": staff.actor, "at": staff.now}
        life.hold(session, staff.vault, campaign, until=until, **given)  # type: ignore[arg-type]
    return go_to(staff, place_of(campaign), said("campaigns.held"))


@router.post("/campaigns/{campaign_id}/lift")
def lift(staff: Runner, campaign_id: int) -> Response:
    """The order is over."""
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        life.lift(session, staff.vault, campaign, by=staff.actor, at=staff.now)
    return go_to(staff, place_of(campaign), said("campaigns.lifted"))


@router.post("/campaigns/{campaign_id}/settle/{notice_id}")
def settle(staff: Runner, campaign_id: int, notice_id: int) -> Response:
    """Decide about a notice of which nobody knows whether it was sent."""
    decided = staff.sent.get("as")
    if decided not in ("sent", "again"):
        raise BadInput("Choose what it is taken for.")
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        given = {"as_sent": decided == "sent", "by": staff.actor, "at": staff.now}
        hands.settle(session, staff.vault, campaign, notice_id, **given)  # type: ignore[arg-type]
    return go_to(staff, place_of(campaign), said("campaigns.settled_said"))


@router.post("/campaigns/{campaign_id}/settle-all")
def settle_all(staff: Runner, campaign_id: int) -> Response:
    """Decide the same about all that stand on the list, each with an entry of its own in the log."""
    decided, numbers = staff.sent.get("as"), staff.sent.numbers("notice")
    if decided not in ("sent", "again"):
        raise BadInput("Choose what it is taken for.")
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        still = {one.id for one in hands.in_doubt(session, campaign)}  # evidence may have settled some meanwhile
        given = {"as_sent": decided == "sent", "by": staff.actor, "at": staff.now}
        for number in numbers:
            if number in still:
                hands.settle(session, staff.vault, campaign, number, **given)  # type: ignore[arg-type]
    return go_to(staff, place_of(campaign), said("campaigns.settled_said"))


def _until(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).astimezone(UTC)
    except ValueError:
        raise BadInput("Choose a time.") from None
