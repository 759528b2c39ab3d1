"""Calls at a set time instead of waiting: hours with room, booked by the patient, reminded of, given up again.

How many calls an hour holds follows from who is on duty. Two who want the last place queue up at the switch of the surge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Thread
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import CALL_AT, Said, write_reply
from bot.desk.cases import changed, locked
from bot.desk.hours.calendar import Calendar
from bot.desk.hours.estimates import staff_on_duty
from bot.desk.models import LIVE, Case, CaseStatus
from bot.desk.records import CallBooking, CaseReminder, DeskSwitch, Switch, Why
from bot.desk.trail import log

CALLS_AN_HOUR = 2
"""Booked calls for each member of the team on duty; the rest of the hour is for those who write."""
SLOT = timedelta(hours=1)
NOTICE = timedelta(minutes=30)
"""The time between booking and the beginning of the hour, and before it at which both sides are reminded."""
OFFERED = 3
HORIZON = timedelta(days=7)
CANCEL = "call_cancelled"
"""The choice by which a patient gives a booked call up."""
REMINDER = "call_reminder"
STANDS = (CallBooking.cancelled_at.is_(None), CallBooking.called_at.is_(None))
"""What is true of a booking that was neither given up nor kept."""


@dataclass(frozen=True)
class Booked:
    """A booked call as the desk shows it."""

    case_id: int
    number: str
    slot: datetime
    claimed_by: int | None


def topic_of(slot: datetime) -> str:
    """The topic of a choice that books this hour."""
    return CALL_AT + slot.astimezone(UTC).isoformat()


def slot_of(topic: str) -> datetime:
    """The hour that such a choice books; raises ValueError for another topic."""
    return datetime.fromisoformat(topic.removeprefix(CALL_AT)).astimezone(UTC)


def with_room(session: Session, known: Calendar, at: datetime, most: int = OFFERED) -> list[datetime]:
    """The next hours within opening times that still hold a call."""
    found: list[datetime] = []
    places = max(1, staff_on_duty(session)) * CALLS_AN_HOUR
    taken = _taken(session, at)
    opens = known.next_opening(at + NOTICE)
    while opens is not None and opens <= at + HORIZON and len(found) < most:
        slot = _full_hour(opens)
        if known.is_open(slot) and known.between(slot, slot + SLOT) == SLOT and taken.get(slot, 0) < places:
            found.append(slot)
        opens = known.next_opening(slot + SLOT)
    return found


def book(
    session: Session, vault: Vault, case: Case, slot: datetime, known: Calendar, at: datetime, staff_id: int | None = None
) -> bool:
    """Book an hour for a case, instead of another it had; False when it is full, closed or too near by now."""
    session.execute(
        select(DeskSwitch.id).where(DeskSwitch.switch == Switch.SURGE.value).order_by(DeskSwitch.id).with_for_update()
    )
    had = booking_of(session, case.id)
    if had is not None and had.slot == slot:
        return True
    places = max(1, staff_on_duty(session)) * CALLS_AN_HOUR
    is_good = slot == _full_hour(slot) and slot >= at and slot - at <= HORIZON and known.between(slot, slot + SLOT) == SLOT
    if not is_good or _taken(session, at).get(slot, 0) >= places:
        return False
    if had is not None:
        had.cancelled_at = at
        session.flush()
    session.add(CallBooking(case_id=case.id, slot=slot, made_at=at))
    case.call_back_at = case.call_back_at or at
    changed(case)
    log(session, vault, case, "call_booked", staff_id=staff_id, at=at, slot=slot.isoformat())
    return True


def cancel(session: Session, vault: Vault, case: Case, at: datetime, staff_id: int | None = None) -> bool:
    """Give a booked call up; False when there was none."""
    had = booking_of(session, case.id)
    if had is None:
        return False
    had.cancelled_at = at
    case.call_back_at = None
    changed(case)
    log(session, vault, case, "call_cancelled", staff_id=staff_id, at=at, slot=had.slot.isoformat())
    return True


def booking_of(session: Session, case_id: int) -> CallBooking | None:
    """The call that is booked for a case and was not made yet."""
    return session.scalars(select(CallBooking).where(CallBooking.case_id == case_id, *STANDS)).first()


def booked(session: Session, since: datetime, until: datetime) -> list[Booked]:
    """The calls the desk has promised in a span of time, the next first; those of ended cases are left out."""
    live = [status.value for status in LIVE]
    wanted = (
        select(CallBooking.slot, Case)
        .join(Case, Case.id == CallBooking.case_id)
        .where(*STANDS, Case.status.in_(live))
        .where(CallBooking.slot >= since, CallBooking.slot < until)
        .order_by(CallBooking.slot, CallBooking.id)
    )
    return [Booked(case.id, case.number, slot, case.claimed_by) for slot, case in session.execute(wanted)]


def remind(session: Session, vault: Vault, published: Published, at: datetime) -> int:
    """Remind patients of calls that come soon, and whoever has the case, once each; returns how many."""
    soon = select(CallBooking.id, CallBooking.case_id).where(
        *STANDS,
        CallBooking.reminded_at.is_(None),
        CallBooking.slot <= at + NOTICE,
        CallBooking.slot > at - SLOT,
    )
    reminded = 0
    for booking_id, case_id in session.execute(soon.order_by(CallBooking.slot)).all():
        case = locked(session, case_id)
        booking = session.get_one(CallBooking, booking_id, populate_existing=True)
        if case.status not in LIVE or booking.cancelled_at or booking.called_at or booking.reminded_at:
            continue
        booking.reminded_at = at
        _remind(session, vault, published, case, booking, at)
        reminded += 1
    return reminded


def _remind(session: Session, vault: Vault, published: Published, case: Case, booking: CallBooking, at: datetime) -> None:
    thread = session.get_one(Thread, case.thread_id)
    language = Language(thread.language)
    latest = threads.latest_session(session, thread.id)
    values = {"call_time": wording.spoken_moment(booking.slot, language), "case_number": case.number}
    said = Said((REMINDER,), language, thread.channel, (CANCEL,), values)
    session_id = latest.id if latest else None
    # Made an hour before the call or later, it was told when it was booked.
    if booking.slot - booking.made_at > SLOT:
        write_reply(session, vault, published, said, thread_id=thread.id, session_id=session_id, turn_id=None, at=at)
    if case.claimed_by is not None and case.status != CaseStatus.OPEN:
        session.add(CaseReminder(case_id=case.id, staff_id=case.claimed_by, why=Why.ASKED.value, due_at=booking.slot, made_at=at))
    log(session, vault, case, "call_reminded", staff_id=None, at=at)


def _taken(session: Session, at: datetime) -> dict[datetime, int]:
    live = [status.value for status in LIVE]
    counted = (
        select(CallBooking.slot, func.count())
        .join(Case, Case.id == CallBooking.case_id)
        .where(CallBooking.cancelled_at.is_(None), CallBooking.slot > at - SLOT, Case.status.in_(live))
        .group_by(CallBooking.slot)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def _full_hour(moment: datetime) -> datetime:
    """The full hour at a moment or after it."""
    begun = moment.replace(minute=0, second=0, microsecond=0)
    return begun if begun == moment else begun + SLOT


def offers(session: Session, known: Calendar, at: datetime) -> Sequence[str]:
    """The topics of the choices a patient is offered."""
    return [topic_of(slot) for slot in with_room(session, known, at)]
