"""Filings: drafted by one, approved by another, filed by somebody who says how; and what is due when. All in the sealed log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.clock import HONG_KONG, in_hong_kong
from bot.base.errors import BadInput, Tampered
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.campaigns.figures import everyone
from bot.campaigns.models import CampaignStatus, Obligation, ObligationStatus
from bot.conversations.speaking.publication import Library, Publication, PublicationStatus
from bot.regulators import writing
from bot.regulators.authorities import Authority, authorities, authority
from bot.regulators.models import Filing, FilingStatus

OUTCOME = "investigation_outcome"
NOTICED = "noticed_on"
OUTCOMES = {
    ObligationStatus.DELIVERED: "notice received",
    ObligationStatus.POSTED: "letter posted, not come back",
    ObligationStatus.SUBSTITUTE: "not reached, public notice alone",
    ObligationStatus.CLOSED: "closed by hand, with a reason",
}
"""What came of a notice, as an authority is told: nobody is counted as told who was not."""


@dataclass(frozen=True)
class Standing:
    """How it stands with one authority."""

    key: str
    authority: Authority
    told_on: date | None  # according to the facts
    last: Filing | None  # the last that was filed
    open: Filing | None  # a draft, or one that waits to be filed
    changes: Sequence[str]  # what is new since the last
    due_at: datetime | None
    why: str

    def is_overdue(self, at: datetime) -> bool:
        """Whether something should have been filed by now."""
        return self.due_at is not None and self.due_at < at


def draft(session: Session, vault: Vault, library: Library, key: str, *, by: str, at: datetime) -> Filing:
    """Write the next document for an authority; raises BadInput while another of its documents is open."""
    who, now = authority(key), standing(session, library, key, at)
    if now.open is not None:
        raise BadInput(f"Document {now.open.id} for it is {now.open.status}: file or withdraw that first.")
    published = library.current(session, at)
    number = (session.scalar(select(func.max(Filing.number)).where(Filing.authority == key)) or 0) + 1
    first = number if now.last is not None else 1  # what was withdrawn was never a report
    text = writing.write(writing.Draft(key, who, first, published.id, published.content, now.changes, _told(session), at))
    filing = Filing(
        authority=key, number=number, publication_id=published.id, text=text, digest=writing.digest_of(text),
        drafted_by=_who(by), drafted_at=at,
    )  # fmt: skip
    session.add(filing)
    session.flush()
    _log(session, vault, filing, "drafted", by, at, publication=published.id)
    return filing


def approve(session: Session, vault: Vault, filing_id: int, *, by: str, at: datetime) -> Filing:
    """Let a draft be filed as it stands; raises BadInput for who wrote it, IllegalMove for what is no draft."""
    filing = one(session, filing_id, lock=True)
    if filing.drafted_by.casefold() == _who(by).casefold():
        raise BadInput("Somebody else has to approve: not who wrote it.")
    move(filing, FilingStatus.APPROVED)
    filing.approved_by, filing.approved_at = _who(by), at
    _log(session, vault, filing, "approved", by, at)
    return filing


def file(
    session: Session, vault: Vault, filing_id: int, *, how: str, reference: str, filed_at: datetime | None, by: str, at: datetime
) -> Filing:
    """Record that the authority has it: by which way, and what it gave for it. Raises BadInput, IllegalMove before approval."""
    filing, when = one(session, filing_id, lock=True), filed_at or at
    if not how.strip():
        raise BadInput("Say by which way it was filed.")
    if when > at or (filing.approved_at is not None and when < filing.approved_at):
        raise BadInput("It is filed after it was approved, and not in the future.")
    move(filing, FilingStatus.FILED)
    filing.filed_by, filing.filed_at, filing.how = _who(by), when, how.strip()[:200]
    filing.their_reference = reference.strip()[:120]
    _log(session, vault, filing, "filed", by, at, how=filing.how, filed_at=when.isoformat())
    return filing


def withdraw(session: Session, vault: Vault, filing_id: int, *, why: str, by: str, at: datetime) -> Filing:
    """Never file a document; it stays readable. Raises BadInput without a reason, IllegalMove once it is filed."""
    filing = one(session, filing_id, lock=True)
    if not why.strip():
        raise BadInput("Say why it is withdrawn.")
    move(filing, FilingStatus.WITHDRAWN)
    _log(session, vault, filing, "withdrawn", by, at, why=why.strip()[:300])
    return filing


def one(session: Session, filing_id: int, *, lock: bool = False) -> Filing:
    """A filing; raises BadInput when there is none, Tampered when its text is not what was approved."""
    filing = session.get(Filing, filing_id, with_for_update=True) if lock else session.get(Filing, filing_id)
    if filing is None:
        raise BadInput(f"There is no document {filing_id}.")
    if writing.digest_of(filing.text) != filing.digest:
        raise Tampered(f"Document {filing_id} does not match its digest.")
    return filing


def all_of(session: Session) -> list[Filing]:
    """Every filing, in order."""
    return list(session.scalars(select(Filing).order_by(Filing.id)))


def standings(session: Session, library: Library, at: datetime) -> list[Standing]:
    """How it stands with each authority; raises NotPublished while there are no facts."""
    return [standing(session, library, key, at) for key in authorities()]


def standing(session: Session, library: Library, key: str, at: datetime) -> Standing:
    """How it stands with one authority, and what is due; raises NotPublished while there are no facts."""
    who, facts = authority(key), library.current(session, at).content
    mine = session.scalars(select(Filing).where(Filing.authority == key).order_by(Filing.number)).all()
    last = next((one for one in reversed(mine) if one.status == FilingStatus.FILED), None)
    waiting = next((one for one in mine if one.status in (FilingStatus.DRAFT, FilingStatus.APPROVED)), None)
    changes = writing.changed_facts(library.get(session, last.publication_id).content, facts) if last else []
    told_on = _day(facts, who.told)
    due, why = _due(session, who, facts, last, told_on, changes)
    return Standing(key, who, told_on, last, waiting, changes, due, why)


def _due(
    session: Session, who: Authority, facts: Any, last: Filing | None, told_on: date | None, changes: Sequence[str]
) -> tuple[datetime | None, str]:
    noticed = _day(facts, NOTICED)
    if last is None or last.filed_at is None:
        if told_on is not None:
            return None, f"told on {told_on:%-d %b %Y} according to the facts; no document of it is here"
        if facts["facts"].get(who.stated, {}).get("value") is not None:
            return None, f"told according to the facts; on which day is not known: the fact {who.told}"
        end = _end_of(noticed) if noticed else None
        return (end + timedelta(hours=who.within_hours), "first report") if end else (None, "the day of discovery is not known")
    if changes:
        known = _known_since(session, last)
        return known + timedelta(hours=who.follow_up_hours), f"{len(changes)} facts are new since the last report"
    if facts["facts"].get(OUTCOME, {}).get("value") is None:
        return last.filed_at + timedelta(days=who.every_days), "the investigation goes on"
    return None, "nothing is due"


def _known_since(session: Session, last: Filing) -> datetime:
    """When facts came into force that the last report did not have."""
    later = select(func.min(Publication.effective_at)).where(
        Publication.status == PublicationStatus.APPROVED.value, Publication.id > last.publication_id
    )
    found = session.scalar(later)
    assert last.filed_at is not None
    return max(found, last.filed_at) if found else last.filed_at


def _told(session: Session) -> list[str]:
    """How far the notices to patients are, a line for each campaign that was started: what is claimed is what came of it."""
    lines = []
    for campaign in everyone(session):
        if campaign.started_at is None:
            continue
        counted = select(Obligation.status, func.count()).where(Obligation.campaign_id == campaign.id)
        people = {status: int(number) for status, number in session.execute(counted.group_by(Obligation.status))}
        parts = [f"{words} {people[status]:,}" for status, words in OUTCOMES.items() if people.get(status)]
        left = campaign.population - sum(people.get(status, 0) for status in OUTCOMES)
        parts += [f"not told yet {left:,}"] if left and campaign.status != CampaignStatus.CANCELLED else []
        parts += [f"not told by it {left:,}"] if left and campaign.status == CampaignStatus.CANCELLED else []
        begun = f"begun {in_hong_kong(campaign.started_at):%-d %b %Y}"
        lines.append(
            f"{campaign.notice.replace('_', ' ')}, version {campaign.version}, {begun}, {campaign.status}: "
            f"of {campaign.population:,} people: {'; '.join(parts)}"
        )
    return lines


def _day(facts: Any, name: str) -> date | None:
    value = facts["facts"].get(name, {}).get("value")
    value = value.get("date") if isinstance(value, dict) else value
    return value if isinstance(value, date) else date.fromisoformat(value) if isinstance(value, str) else None


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), HONG_KONG)


def _log(session: Session, vault: Vault, filing: Filing, what: str, by: str, at: datetime, **more: Any) -> None:
    content = {"filing": filing.id, "authority": filing.authority, "number": filing.number, "sha256": filing.digest, **more}
    subject = f"filing:{filing.id}"
    audit.record(session, at=at, actor=_who(by), kind=f"regulator.{what}", subject=subject, content=content, vault=vault)


def _who(by: str) -> str:
    who = by.strip()[:60]
    if not who:
        raise BadInput("Say who does it.")
    return who


def as_row(filing: Filing) -> dict[str, Any]:
    """A filing for programs, without its text."""
    names = ("id", "authority", "number", "status", "publication_id", "digest", "drafted_by", "approved_by", "filed_by")
    row = {name: getattr(filing, name) for name in names}
    moments = {name: getattr(filing, name) for name in ("drafted_at", "approved_at", "filed_at")}
    return json.loads(json.dumps({**row, **moments, "how": filing.how, "reference": filing.their_reference}, default=str))  # type: ignore[no-any-return]
