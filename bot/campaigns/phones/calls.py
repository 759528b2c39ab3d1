"""The list of whom the team rings, and what came of each call: told, again later, or the next rung."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.base import audit, leases
from bot.base.clock import in_hong_kong
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.leases import Lease
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.campaigns import hands, life
from bot.campaigns.audience import Because
from bot.campaigns.models import REFERENCE, Campaign, Notice, NoticeStatus, Obligation, ObligationStatus, Segment, Variant
from bot.campaigns.office import Office
from bot.campaigns.phones.models import Outcome, PhoneAttempt
from bot.campaigns.sending import withholding
from bot.patients.disclosure import PersonHold
from bot.patients.models import CONTACT, RECORD, ContactPoint, Person, Retirement, Way

AGAIN = {
    Outcome.NO_ANSWER: timedelta(hours=4),
    Outcome.VOICEMAIL: timedelta(hours=20),
    Outcome.CALL_BACK: timedelta(hours=1),
    Outcome.LANGUAGE: timedelta(0),
}
"""What leads to another call, and how long to wait before it; a time that was agreed on goes before."""
TRIES = 4
"""Calls after which the next rung begins."""

HELD_S = 1800.0
"""Seconds for which people who were shown to somebody are shown to nobody else; asking again or noting a call begins it anew."""
_LEASE = "phone:"


@dataclass(frozen=True)
class Held:
    """How many people of a list somebody has, and until when the last of them at most."""

    by: str
    people: int
    until: datetime


@dataclass(frozen=True, repr=False)
class ToRing:
    """One person of the list, opened."""

    notice_id: int
    person_id: int
    language: Language
    variant: Variant
    name: str
    number: str
    attempts: int
    last: Outcome | None
    again_at: datetime | None
    reference: str
    notes: tuple[str, ...] = field(default=())


def waiting(session: Session, campaign: Campaign) -> int:
    """How many people are on the list."""
    return session.scalar(select(func.count()).select_from(Notice).where(*_listed(campaign))) or 0


def lists(session: Session) -> list[tuple[Campaign, int]]:
    """The campaigns with a list of people to ring, and how many are on it; the oldest first."""
    listed = (Notice.channel == Way.PHONE.value, Notice.status == NoticeStatus.LISTED.value)
    wanted = select(Campaign, func.count()).join(Notice, Notice.campaign_id == Campaign.id).where(*listed)
    return [(campaign, number) for campaign, number in session.execute(wanted.group_by(Campaign.id).order_by(Campaign.id))]


def next_ones(session: Session, office: Office, campaign: Campaign, *, most: int, by: str) -> list[ToRing]:
    """Whom to ring now, their own first and then those waiting longest; nobody else is shown them for half an hour.

    That numbers were shown, and whose, is in the log. Of two who ask at once each gets other people.

    Raises BadInput unless the campaign is running.
    """
    hands.under_way(campaign)
    at = office.clock()
    _sort_out(session, office, campaign, at)
    tries = select(PhoneAttempt.notice_id, func.count().label("tries"), func.max(PhoneAttempt.id).label("last"))
    made = tries.group_by(PhoneAttempt.notice_id).subquery()
    columns = (
        *(Notice.id, Notice.person_id, Segment.language, Segment.variant, Person.sealed_record, ContactPoint.sealed_value),
        *(Obligation.sealed_reference, made.c.tries, PhoneAttempt.outcome, PhoneAttempt.again_at),
    )
    wanted = (
        select(*columns).join(Obligation, Obligation.id == Notice.obligation_id).join(Segment, Segment.id == Notice.segment_id)
    )
    wanted = wanted.join(Person, Person.id == Notice.person_id).join(ContactPoint, ContactPoint.id == Notice.contact_point_id)
    wanted = wanted.outerjoin(made, made.c.notice_id == Notice.id).outerjoin(PhoneAttempt, PhoneAttempt.id == made.c.last)
    due = PhoneAttempt.again_at.is_(None) | (PhoneAttempt.again_at <= at)
    wanted = wanted.where(*_listed(campaign), due).order_by(Notice.due_at, Notice.id)
    found = [_opened(office, row) for row in _claimed(session, wanted, most, by, at)]
    if found:
        shown = {"notices": [one.notice_id for one in found]}
        life.log(session, office.vault, campaign, "phone_numbers_shown", by, at, **shown)
    return found


def _claimed(session: Session, wanted: Any, most: int, by: str, at: datetime) -> list[Any]:
    """Rows of which the lease is now theirs. Each is taken by one statement, so that two who ask at once never have the same."""
    mine = _notices_of(session, at, Lease.holder == by)
    rows = list(session.execute(wanted.where(Notice.id.in_(mine)).limit(most)).all())
    rows = [row for row in rows if _take(session, row.id, by, at)]
    while len(rows) < most:
        others = _notices_of(session, at, Lease.holder != by)
        tried = {row.id for row in rows} | others
        more = session.execute(wanted.where(Notice.id.not_in(tried)).limit(most - len(rows))).all()
        rows += [row for row in more if _take(session, row.id, by, at)]
        if not more:
            break
    return rows


def _take(session: Session, notice_id: int, by: str, at: datetime) -> bool:
    return leases.take(session, name=f"{_LEASE}{notice_id}", holder=by, at=at, seconds=HELD_S)


def _notices_of(session: Session, at: datetime, whose: ColumnElement[bool]) -> set[int]:
    held = select(Lease.name).where(Lease.name.startswith(_LEASE), Lease.until > at, whose)
    return {int(name.removeprefix(_LEASE)) for name in session.scalars(held)}


def held_by(session: Session, campaign: Campaign, at: datetime) -> list[Held]:
    """Who has people of this list now, by name in the log."""
    listed = {f"{_LEASE}{one}" for one in session.scalars(select(Notice.id).where(*_listed(campaign)))}
    wanted = select(Lease).where(Lease.name.startswith(_LEASE), Lease.until > at).order_by(Lease.holder)
    found: dict[str, list[datetime]] = {}
    for lease in session.scalars(wanted):
        if lease.name in listed:
            found.setdefault(lease.holder, []).append(lease.until)
    return [Held(by, len(ends), max(ends)) for by, ends in found.items()]


def give_back(session: Session, vault: Vault, *, whose: str, by: str, at: datetime) -> int:
    """Let others ring the people somebody has; returns how many there were."""
    ids = sorted(_notices_of(session, at, Lease.holder == whose))
    session.execute(delete(Lease).where(Lease.name.startswith(_LEASE), Lease.holder == whose))
    if ids:
        content = {"notices": ids, "of": whose}
        audit.record(session, at=at, actor=by[:60], kind="phones.given_back", subject="phones", content=content, vault=vault)
    return len(ids)


def _sort_out(session: Session, office: Office, campaign: Campaign, at: datetime) -> None:
    """Leave to the team, or to the next rung, whom nobody may ring any more: else they would stay on the list for ever."""
    held = exists().where(
        PersonHold.lifted_at.is_(None), or_(PersonHold.person_id == Person.id, PersonHold.person_id == ContactPoint.person_id)
    )
    gone = (ContactPoint.retired_because.is_not(None), Obligation.status != ObligationStatus.OPEN.value)
    columns = (Notice.id, Notice.obligation_id, Person.deceased, Person.protected, held.label("held"))
    wanted = select(*columns, Obligation.status.label("owed")).join(Obligation, Obligation.id == Notice.obligation_id)
    wanted = wanted.join(Person, Person.id == Notice.person_id).join(ContactPoint, ContactPoint.id == Notice.contact_point_id)
    for row in session.execute(wanted.where(*_listed(campaign), or_(Person.deceased, Person.protected, held, *gone))).all():
        because = Because.DECEASED if row.deceased else Because.PROTECTED if row.protected else None
        because = because or (Because.HELD if row.held else None)
        if because is not None:
            withholding.leave(session, office, row, because, because.value, at)
        else:
            is_open = row.owed == ObligationStatus.OPEN.value
            withholding.skip(session, office, row, withholding.WRONG if is_open else withholding.SETTLED, at)


def _listed(campaign: Campaign) -> tuple[Any, ...]:
    return (
        Notice.campaign_id == campaign.id,
        Notice.channel == Way.PHONE.value,
        Notice.status == NoticeStatus.LISTED.value,
    )


def _opened(office: Office, row: Any) -> ToRing:
    record = json.loads(office.vault.open(row.sealed_record, RECORD))
    language, variant = Language(row.language), Variant(row.variant)
    chinese = language in (Language.ZH_HANT, Language.ZH_HANS)
    name = (record["name_zh"] or record["name"]) if chinese else (record["name"] or record["name_zh"])
    notes = {
        Variant.GUARDIAN: ("The number is the guardian's: ask for the parent or guardian.",),
        Variant.NEUTRAL: ("A safe contact: name no clinic, and say nothing to anybody else.",),
    }.get(variant, ())
    return ToRing(
        notice_id=row.id,
        person_id=row.person_id,
        language=language,
        variant=variant,
        name=name,
        number=office.vault.open(row.sealed_value, CONTACT),
        attempts=row.tries or 0,
        last=Outcome(row.outcome) if row.outcome else None,
        again_at=row.again_at,
        reference=office.vault.open(row.sealed_reference, REFERENCE) if row.sealed_reference else "",
        notes=notes,
    )


def done(
    session: Session, vault: Vault, campaign: Campaign, notice_id: int, outcome: Outcome, *, again_at: datetime | None, by: str,
    at: datetime,
) -> str:  # fmt: skip
    """Write down what came of a call; returns in words what happens next. Raises BadInput for somebody not on the list."""
    notice = session.get(Notice, notice_id, with_for_update=True)
    if notice is None or notice.campaign_id != campaign.id or notice.channel != Way.PHONE or notice.status != NoticeStatus.LISTED:
        raise BadInput("That is not on the list any more.")
    if not _take(session, notice_id, by, at):
        raise BadInput("A colleague has this person now: tell them what came of your call.")
    leases.release(session, name=f"{_LEASE}{notice_id}", holder=by)
    made = select(func.count()).select_from(PhoneAttempt).where(PhoneAttempt.notice_id == notice_id)
    tries = (session.scalar(made) or 0) + 1
    again = _again(outcome, tries, again_at, at)
    session.add(PhoneAttempt(notice_id=notice_id, at=at, by=by[:60], outcome=outcome.value, again_at=again))
    words = f"It is rung again from {in_hong_kong(again):%d %b %H:%M}." if again else _settle(session, notice, outcome, by, at)
    content = {"notice": notice.id, "campaign": campaign.id, "channel": notice.channel, "outcome": outcome.value, "try": tries}
    subject = f"person:{notice.person_id}"
    audit.record(session, at=at, actor=by[:60], kind="notice.called", subject=subject, content=content, vault=vault)
    return words


def _again(outcome: Outcome, tries: int, agreed: datetime | None, at: datetime) -> datetime | None:
    if outcome not in AGAIN or tries >= TRIES:
        return None
    return agreed if agreed is not None and agreed > at else at + AGAIN[outcome]


def _settle(session: Session, notice: Notice, outcome: Outcome, by: str, at: datetime) -> str:
    """End the rung: the person was told, the next one begins, or the team takes over."""
    obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
    move(notice, NoticeStatus.DELIVERED if outcome is Outcome.TOLD else NoticeStatus.FAILED)
    notice.settled_at, notice.reason = at, f"call: {outcome.value}"
    if outcome is Outcome.WRONG_NUMBER:
        point = session.get_one(ContactPoint, notice.contact_point_id)
        if point.retired_at is None:
            point.retired_at, point.retired_because = at, Retirement.WRONG_PERSON.value
    if obligation.status != ObligationStatus.OPEN:
        if outcome is Outcome.TOLD and obligation.status == ObligationStatus.MANUAL:
            move(obligation, ObligationStatus.DELIVERED)
            obligation.settled_at = at
        return "Nothing more happens by itself."
    if outcome is Outcome.TOLD:
        move(obligation, ObligationStatus.DELIVERED)
        obligation.settled_at, obligation.next_at = at, None
        return "Told: nothing more is owed."
    if outcome is Outcome.DECEASED:
        move(obligation, ObligationStatus.MANUAL)
        obligation.because, obligation.next_at = Because.HELD.value, None
        return "Left to the team."
    obligation.next_at = at
    return "The next rung begins."
