"""Booked calls in the hands of the team: the list by hour, moving and giving one up with the patient told, making the call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Thread
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, write_reply
from bot.desk.cases import CALL_BACK, changed, locked
from bot.desk.hours.calendar import Calendar
from bot.desk.models import LIVE, Case
from bot.desk.records import CallBooking, CallResult
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission
from bot.desk.surge import slots
from bot.desk.trail import log
from bot.desk.work import notebook
from bot.desk.work.persons import PROVEN, persons_of

BOOKED, MOVED, OFF = "call_booked", "call_moved", "call_off"
ASSISTANT = "back_to_assistant"
MISSED_FOR = timedelta(days=7)
"""How long a call that nobody made stays on the list."""


@dataclass(frozen=True, repr=False)
class Planned:
    """A booked call as the list shows it."""

    case: Case
    slot: datetime
    channel: str
    language: str
    reminded_at: datetime | None
    is_proven: bool  # it is known who is called
    state: str  # missed, now, later

    @property
    def until(self) -> datetime:
        """When the hour is over."""
        return self.slot + slots.SLOT


def planned(session: Session, at: datetime) -> Sequence[Planned]:
    """The calls that are owed, the earliest first: those whose hour passed without one, those of now, those to come."""
    live = [status.value for status in LIVE]
    wanted = (
        select(CallBooking, Case, Thread.channel, Thread.language)
        .join(Case, Case.id == CallBooking.case_id)
        .join(Thread, Thread.id == Case.thread_id)
        .where(*slots.STANDS, Case.status.in_(live), CallBooking.slot > at - MISSED_FOR)
        .order_by(CallBooking.slot, CallBooking.id)
    )
    return [
        Planned(case, row.slot, channel, language, row.reminded_at, _is_proven(session, case.id), _state(row.slot, at))
        for row, case, channel, language in session.execute(wanted)
    ]


def move_call(
    session: Session, vault: Vault, published: Published, case_id: int, slot: datetime, known: Calendar, *, by: int, at: datetime
) -> Case:
    """Book an hour for a patient, or another one than they had, and tell them.

    Raises BadInput when the hour is full, closed or too near, for a case that has ended, and without the role.
    """
    case = _live(session, case_id, by)
    had = slots.booking_of(session, case_id)
    if had is not None and had.slot == slot:
        raise BadInput("The call is booked for this hour already.")
    if not slots.book(session, vault, case, slot, known, at, staff_id=by):
        raise BadInput("This hour is full or closed by now: choose another one.")
    _tell(session, vault, published, case, MOVED if had is not None else BOOKED, slot, at)
    return case


def give_up_call(session: Session, vault: Vault, published: Published, case_id: int, *, by: int, at: datetime) -> Case:
    """Give a booked call up, and tell the patient; raises BadInput when there is none, and without the role."""
    case = _live(session, case_id, by)
    had = slots.booking_of(session, case_id)
    if had is None:
        raise BadInput("No call is booked for this case any more.")
    slots.cancel(session, vault, case, at, staff_id=by)
    _tell(session, vault, published, case, OFF, had.slot, at)
    return case


def made_call(
    session: Session, vault: Vault, case_id: int, *, result: CallResult, minutes: int, text: str, by: int, at: datetime
) -> bool:
    """Keep a call in the log of its case; a booked call whose time has come is made with it. Returns whether one was."""
    notebook.log_call(session, vault, case_id, by, at, result=result, minutes=minutes, text=text)
    booking = slots.booking_of(session, case_id)
    if booking is None or booking.slot > at + slots.NOTICE:
        return False
    booking.called_at = at
    case = session.get_one(Case, case_id)
    case.call_back_at = None
    changed(case)
    log(session, vault, case, "call_made", staff_id=by, at=at, slot=booking.slot.isoformat(), result=result.value)
    return True


def _live(session: Session, case_id: int, staff_id: int) -> Case:
    require(session, staff_id, Permission.WORK_CASES)
    case = locked(session, case_id)
    if case.status not in LIVE:
        raise BadInput("This case has ended.")
    return case


def _tell(session: Session, vault: Vault, published: Published, case: Case, name: str, slot: datetime, at: datetime) -> None:
    thread = session.get_one(Thread, case.thread_id)
    language = Language(thread.language)
    latest = threads.latest_session(session, thread.id)
    values = {"call_time": wording.spoken_moment(slot, language), "case_number": case.number}
    # A publication of before these texts were written has the ones that patients' own choices are answered with.
    known = name if name in published.content["wordings"] else (slots.CANCEL if name == OFF else BOOKED)
    offer = (CALL_BACK, ASSISTANT) if name == OFF else (slots.CANCEL, ASSISTANT)
    said = Said((known,), language, thread.channel, offer, values)
    session_id = latest.id if latest else None
    write_reply(session, vault, published, said, thread_id=thread.id, session_id=session_id, turn_id=None, at=at)


def _is_proven(session: Session, case_id: int) -> bool:
    return any(row.known in PROVEN for row in persons_of(session, case_id))


def _state(slot: datetime, at: datetime) -> str:
    if slot + slots.SLOT <= at:
        return "missed"
    return "now" if slot <= at + slots.NOTICE else "later"
