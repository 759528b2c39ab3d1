"""What people of the team do for a campaign: calls, letters, returned mail, public notices, doubts settled; all in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.lifecycle import move, moving
from bot.base.vault import Vault
from bot.campaigns import life
from bot.campaigns.audience import Because
from bot.campaigns.models import Campaign, CampaignStatus, Notice, NoticeStatus, Obligation, ObligationStatus
from bot.patients.models import Way


def under_way(campaign: Campaign) -> None:
    """Raises BadInput unless the campaign runs: what is stopped for its text, or by an authority, people do not go on with."""
    if campaign.status != CampaignStatus.RUNNING:
        raise BadInput("The campaign is not under way: nobody is rung and no letter is made until it goes on.")


def called(session: Session, vault: Vault, campaign: Campaign, notice_id: int, *, reached: bool, by: str, at: datetime) -> None:
    """Somebody of the phone list was called: told, or not reached, and then the next rung begins."""
    notice = _listed(session, campaign, notice_id, Way.PHONE)
    move(notice, NoticeStatus.DELIVERED if reached else NoticeStatus.FAILED)
    notice.settled_at = at
    obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
    if reached:
        _end(obligation, ObligationStatus.DELIVERED, at)
    elif obligation.status == ObligationStatus.OPEN:
        obligation.next_at = at
    _prove(session, vault, notice, "called", by, at, reached=reached)


def handed(session: Session, vault: Vault, campaign: Campaign, way: Way, notices: Sequence[int], *, by: str, at: datetime) -> int:
    """A batch of letters was handed to the post; returns how many of them were waiting for it."""
    number = 0
    for notice_id in notices:
        notice = session.get(Notice, notice_id, with_for_update=True)
        if notice is None or notice.campaign_id != campaign.id or notice.channel != way or notice.status != NoticeStatus.LISTED:
            continue
        move(notice, NoticeStatus.POSTED)
        notice.settled_at = at
        _end(session.get_one(Obligation, notice.obligation_id, with_for_update=True), ObligationStatus.POSTED, at)
        _prove(session, vault, notice, "posted", by, at)
        number += 1
    return number


def came_back(session: Session, vault: Vault, campaign: Campaign, notices: Sequence[int], *, by: str, at: datetime) -> int:
    """Letters were returned: their people are left to the team again; returns how many had been posted."""
    number = 0
    for notice_id in notices:
        notice = session.get(Notice, notice_id, with_for_update=True)
        if notice is None or notice.campaign_id != campaign.id or notice.status != NoticeStatus.POSTED:
            continue
        move(notice, NoticeStatus.FAILED)
        notice.settled_at, notice.reason = at, "returned"
        obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
        if obligation.status == ObligationStatus.POSTED:
            move(obligation, ObligationStatus.MANUAL)
            obligation.because, obligation.settled_at = Because.RETURNED.value, None
        _prove(session, vault, notice, "returned", by, at)
        number += 1
    return number


def close(session: Session, vault: Vault, campaign: Campaign, obligation_id: int, *, why: str, by: str, at: datetime) -> None:
    """Nothing more is owed to one person, for a reason somebody answers for; raises BadInput without one."""
    obligation = session.get(Obligation, obligation_id, with_for_update=True)
    if obligation is None or obligation.campaign_id != campaign.id:
        raise BadInput("This campaign owes nothing under that number.")
    if not why.strip():
        raise BadInput("Say why nothing more is owed.")
    move(obligation, ObligationStatus.CLOSED)
    obligation.settled_at, obligation.next_at = at, None
    content = {"campaign": campaign.id, "obligation": obligation.id, "why": why.strip()[:300]}
    subject = f"person:{obligation.person_id}"
    audit.record(session, at=at, actor=by, kind="obligation.closed", subject=subject, content=content, vault=vault)


def substitute(session: Session, vault: Vault, campaign: Campaign, *, where: str, digest: str, by: str, at: datetime) -> int:
    """A public notice stands for everybody who is left to the team; returns how many. Its place and digest are the evidence."""
    if not where.strip() or len(digest) != 64:
        raise BadInput("Say where the public notice stands, and the SHA-256 of it.")
    told = moving(Obligation, ObligationStatus.SUBSTITUTE).where(
        Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.MANUAL.value
    )
    rows = session.execute(told.values(settled_at=at).returning(Obligation.id, Obligation.person_id)).all()
    number, kind = len(rows), f"obligation.{ObligationStatus.SUBSTITUTE.value}"
    said = {"campaign": campaign.id, "sha256": digest}
    entries = [(kind, f"person:{row.person_id}", {**said, "obligation": row.id}) for row in sorted(rows)]
    audit.record_all(session, at=at, actor=by[:60], entries=entries, vault=vault)
    life.log(session, vault, campaign, "public_notice", by, at, where=where.strip()[:300], sha256=digest, people=number)
    return number


def settle(session: Session, vault: Vault, campaign: Campaign, notice_id: int, *, as_sent: bool, by: str, at: datetime) -> None:
    """Decide about a notice of which nobody knows whether it was sent: take it as sent, or send it again."""
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.campaign_id != campaign.id or notice.status != NoticeStatus.UNKNOWN:
        raise BadInput("This campaign has no notice in doubt under that number.")
    move(notice, NoticeStatus.ACCEPTED if as_sent else NoticeStatus.PLANNED)
    notice.settled_at, notice.due_at = at, at
    if not as_sent:
        session.execute(update(Obligation).where(Obligation.id == notice.obligation_id).values(next_at=None))
    _prove(session, vault, notice, "settled_by_hand", by, at, as_sent=as_sent)


def in_doubt(session: Session, campaign: Campaign, limit: int = 200) -> list[Notice]:
    """Notices of which nobody knows whether they were sent, the oldest first."""
    wanted = select(Notice).where(Notice.campaign_id == campaign.id, Notice.status == NoticeStatus.UNKNOWN.value)
    return list(session.scalars(wanted.order_by(Notice.submitted_at).limit(limit)))


def _listed(session: Session, campaign: Campaign, notice_id: int, way: Way) -> Notice:
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.campaign_id != campaign.id or notice.channel != way or notice.status != NoticeStatus.LISTED:
        raise BadInput("That is not on the list any more.")
    return notice


def _end(obligation: Obligation, to: ObligationStatus, at: datetime) -> None:
    if obligation.status in (ObligationStatus.OPEN, ObligationStatus.MANUAL):
        move(obligation, to)
        obligation.settled_at, obligation.next_at = at, None


def _prove(session: Session, vault: Vault, notice: Notice, what: str, by: str, at: datetime, **more: bool) -> None:
    content = {"notice": notice.id, "campaign": notice.campaign_id, "channel": notice.channel, **more}
    subject = f"person:{notice.person_id}"
    audit.record(session, at=at, actor=by[:60], kind=f"notice.{what}", subject=subject, content=content, vault=vault)
