"""A responder answers: approved texts and a short free part, checked, and held for ten seconds in which it can be taken back.

A reply waits as a row of its own until its time, whatever the channel: a page that is closed or a process that
dies changes nothing about it. Then it becomes a line of the transcript and goes into the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput, NotPublished, Withheld
from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.models import Owner, Thread, Turn
from bot.conversations.speaking.levels import Level, Verified, level_of
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, text_of, write_reply
from bot.desk.cases import changed, lock_thread, locked
from bot.desk.hours.calendar import Hours, desk_hours
from bot.desk.hours.deadlines import answered, set_clocks
from bot.desk.hours.switches import calendar
from bot.desk.models import HELD, Case, CaseStatus
from bot.desk.records import REPLY, CaseReminder, StaffReply, StaffReplyStatus, Why
from bot.desk.trail import log
from bot.desk.work import notebook
from bot.desk.work.claims import mine, touch
from bot.desk.work.composing import Composed, judged, values_for
from bot.desk.work.persons import threads_of
from bot.desk.work.speech import Objection, Rules

UNDO = timedelta(seconds=10)
"""How long a reply can be taken back."""


Proof = Callable[[Session, int, datetime], Verified | None]
"""Who is verified in a session at a moment; asked when a reply is written and again when it leaves."""


def nobody(session: Session, session_id: int, at: datetime) -> Verified | None:
    """The proof where none is given: wordings for verified people cannot be said."""
    return None


@dataclass(frozen=True)
class Accepted:
    """What came of sending: the reply on its way, or what speaks against it."""

    reply: StaffReply | None = None
    objections: Sequence[Objection] = ()
    stale: bool = False
    """The patient has written since; shown once, and the same again with the new number is accepted."""
    last_number: int = 0


def send(
    session: Session,
    vault: Vault,
    published: Published,
    rules: Rules,
    case_id: int,
    staff_id: int,
    at: datetime,
    composed: Composed,
    prove: Proof = nobody,
) -> Accepted:
    """Check a reply and lay it down to leave in ten seconds; the draft is dropped with it.

    Raises BadInput unless the case is theirs, or when the thread is not the case's; NotPublished and Withheld when a
    text cannot be said now.
    """
    case = mine(session, case_id, staff_id)
    thread = thread_for(session, case, composed.thread_id)
    last = _last_turn(session, thread.id)
    if last > composed.seen_number:
        return Accepted(stale=True, last_number=last)
    found = judged(session, rules, published.content, thread, composed, at)
    if found:
        return Accepted(objections=found, last_number=last)
    reply = _laid_down(session, vault, published, case, thread, staff_id, at, composed, prove)
    notebook.save_draft(session, vault, case.id, staff_id, at)
    touch(case, at)
    session.flush()
    return Accepted(reply=reply, last_number=last)


def _laid_down(
    session: Session,
    vault: Vault,
    published: Published,
    case: Case,
    thread: Thread,
    staff_id: int,
    at: datetime,
    composed: Composed,
    prove: Proof,
) -> StaffReply:
    free = composed.free.strip()
    values = values_for(case)
    # Rendered once now: what cannot be said is refused while its author looks at it.
    latest = threads.latest_session(session, thread.id)
    level = level_of(prove(session, latest.id, at), latest.id, at) if latest else Level.PUBLIC
    text_of(published, Said(composed.names, Language(thread.language), thread.channel, values=values, free=free), level)
    reply = StaffReply(
        case_id=case.id,
        thread_id=thread.id,
        staff_id=staff_id,
        names=list(composed.names),
        sealed_free=vault.seal(free, REPLY) if free else None,
        language=thread.language,
        seen_number=composed.seen_number,
        written_at=at,
        due_at=at + UNDO,
    )
    session.add(reply)
    return reply


def undo(session: Session, vault: Vault, reply_id: int, staff_id: int, at: datetime) -> bool:
    """Take a reply back in time; its words are the draft again. False when it has left, or is not theirs."""
    reply = session.get(StaffReply, reply_id)
    if reply is None or reply.staff_id != staff_id:
        return False
    case = locked(session, reply.case_id)
    session.refresh(reply, with_for_update=True)
    if reply.status != StaffReplyStatus.PENDING or reply.due_at <= at:
        return False
    move(reply, StaffReplyStatus.UNDONE)
    notebook.put_back(session, vault, case.id, staff_id, at, names=reply.names, text=words_of(vault, reply))
    changed(case)
    log(session, vault, case, "reply_undone", staff_id=staff_id, at=at)
    return True


def pending(session: Session, case_id: int) -> Sequence[StaffReply]:
    """The replies of a case that can still be taken back."""
    wanted = select(StaffReply).where(StaffReply.case_id == case_id, StaffReply.status == StaffReplyStatus.PENDING.value)
    return session.scalars(wanted.order_by(StaffReply.id)).all()


def are_due(session: Session, at: datetime) -> bool:
    """Whether any reply's time has come."""
    return session.scalars(_due(at).limit(1)).first() is not None


def send_due(
    session: Session,
    vault: Vault,
    published: Published,
    at: datetime,
    limit: int = 50,
    *,
    taken: Callable[[Session, int, datetime], object] = lambda _session, _thread, _at: None,
    prove: Proof = nobody,
) -> list[int]:
    """Say the replies whose time has come; returns the threads that got a new line.

    `taken` is called with each thread that a person answers on: whoever was verified there is so no longer.
    """
    said = []
    for reply_id in session.scalars(_due(at).limit(limit)).all():
        reply = session.get_one(StaffReply, reply_id)
        lock_thread(session, reply.thread_id)
        case = session.scalars(
            select(Case).where(Case.id == reply.case_id).with_for_update().execution_options(populate_existing=True)
        ).one()
        session.refresh(reply, with_for_update=True)
        if reply.status == StaffReplyStatus.PENDING and _say(session, vault, published, case, reply, at, prove):
            taken(session, reply.thread_id, at)
            said.append(reply.thread_id)
    return said


def _say(session: Session, vault: Vault, published: Published, case: Case, reply: StaffReply, at: datetime, prove: Proof) -> bool:
    thread = session.get_one(Thread, reply.thread_id, populate_existing=True)
    latest = threads.latest_session(session, thread.id)
    said = Said(
        reply.names,
        Language(reply.language),
        thread.channel,
        values=values_for(case),
        free=words_of(vault, reply),
        verified=prove(session, latest.id, at) if latest else None,
        staff_id=reply.staff_id,
    )
    try:
        written = write_reply(
            session,
            vault,
            published,
            said,
            thread_id=thread.id,
            session_id=latest.id if latest else None,
            turn_id=None,
            at=at,
        )
    except (NotPublished, Withheld):
        move(reply, StaffReplyStatus.FAILED)
        reminder = CaseReminder(case_id=case.id, staff_id=reply.staff_id, why=Why.NOT_SENT.value, due_at=at, made_at=at)
        session.add(reminder)
        notebook.put_back(session, vault, case.id, reply.staff_id, at, names=reply.names, text=words_of(vault, reply))
        changed(case)
        return False
    session.flush()
    move(reply, StaffReplyStatus.SENT)
    reply.reply_id = written.id
    # Whoever is answered by a person is with the team, also when they had gone back to the assistant.
    if case.status in HELD:
        thread.owner = Owner.STAFF.value
    _count(session, case, reply, at, desk_hours(published.content))
    log(session, vault, case, "replied", staff_id=reply.staff_id, at=at, number=written.number)
    return True


def _count(session: Session, case: Case, reply: StaffReply, at: datetime, hours: Hours) -> None:
    """It is the patient's turn now, unless they wrote after what the responder had seen."""
    answered(case, at)
    later = select(func.min(Turn.received_at)).where(Turn.thread_id == reply.thread_id, Turn.number > reply.seen_number)
    unseen = session.scalar(later)
    if unseen is not None:
        case.waiting_since = case.next_response_due_at = unseen
    elif case.status == CaseStatus.CLAIMED:
        move(case, CaseStatus.WAITING)
    set_clocks(session, case, calendar(session, at, hours))
    changed(case)


def _due(at: datetime) -> Any:
    due = select(StaffReply.id).where(StaffReply.status == StaffReplyStatus.PENDING.value, StaffReply.due_at <= at)
    return due.order_by(StaffReply.thread_id, StaffReply.id)


def thread_for(session: Session, case: Case, thread_id: int | None) -> Thread:
    """The thread of a case on which is written, its own when none is named; raises BadInput for one that is not the case's."""
    for thread in threads_of(session, case):
        if thread.id == (thread_id or case.thread_id):
            return thread
    raise BadInput("This thread does not belong to the case.")


def _last_turn(session: Session, thread_id: int) -> int:
    return session.scalar(select(func.max(Turn.number)).where(Turn.thread_id == thread_id)) or 0


def words_of(vault: Vault, reply: StaffReply) -> str:
    """The responder's own words in a reply; empty when it has none."""
    return vault.open(reply.sealed_free, REPLY) if reply.sealed_free else ""
