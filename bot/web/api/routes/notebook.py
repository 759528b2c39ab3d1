"""What is kept with a case and never sent: notes, calls, reminders, drafts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from bot.desk.records import CaseReminder
from bot.desk.sight.casefile import case_with
from bot.desk.staff.roles import Scope
from bot.desk.trail import log
from bot.desk.work import notebook
from bot.web.api.acting import act, case_of, fresh, not_remembered
from bot.web.api.door import Caller, Writer, reads, writes
from bot.web.api.problems import Problem
from bot.web.api.shapes.base import Done, Id, Number
from bot.web.api.shapes.talking import (
    CallView,
    DraftView,
    NewCall,
    NewDraft,
    NewNote,
    NewReminder,
    NoteView,
    ReminderView,
)

router = APIRouter(tags=["notebook"])
Reader = Annotated[Caller, reads(Scope.CASES_READ)]
Worker = Annotated[Writer, writes(Scope.CASES_WORK)]
Responder = Annotated[Caller, reads(Scope.CASES_WORK)]


@router.get("/cases/{number}/notes", summary="Private notes")
def notes(caller: Reader, number: Number) -> list[NoteView]:
    """In order; that they were read stands in the sealed log."""
    with caller.database.writing() as session:
        case = case_of(session, number)
        log(session, caller.vault, case, "read", staff_id=caller.id, at=caller.now)
        found = notebook.notes(session, caller.vault, case.id)
    return [NoteView(id=one.id, staff=one.staff_id, text=one.text, at=one.at) for one in found]


@router.post("/cases/{number}/notes", summary="Keep a private note", status_code=201, response_model=NoteView)
def add_note(caller: Worker, number: Number, sent: NewNote) -> Response:
    """Whoever has the case; nothing can send it to a patient."""

    def work(session: Session) -> NoteView:
        case = fresh(session, caller, number)
        row = notebook.add_note(session, caller.vault, case.id, caller.id, caller.now, text=sent.text)
        return NoteView(id=row.id, staff=row.staff_id, text=sent.text.strip(), at=row.at)

    return act(caller, work, sent=sent, status=201, needs_key=True)


@router.get("/cases/{number}/calls", summary="The call log")
def calls(caller: Reader, number: Number) -> list[CallView]:
    """In order; that it was read stands in the sealed log."""
    with caller.database.writing() as session:
        case = case_of(session, number)
        log(session, caller.vault, case, "read", staff_id=caller.id, at=caller.now)
        found = notebook.calls(session, caller.vault, case.id)
    return [
        CallView(id=one.id, staff=one.staff_id, result=one.result, minutes=one.minutes, text=one.text, at=one.at) for one in found
    ]


@router.post("/cases/{number}/calls", summary="Log a call", status_code=201, response_model=CallView)
def log_call(caller: Worker, number: Number, sent: NewCall) -> Response:
    """That the patient was called, or called."""

    def work(session: Session) -> CallView:
        case = fresh(session, caller, number)
        row = notebook.log_call(
            session,
            caller.vault,
            case.id,
            caller.id,
            caller.now,
            result=sent.result,
            minutes=sent.minutes,
            text=sent.text,
        )
        return CallView(id=row.id, staff=row.staff_id, result=sent.result, minutes=row.minutes, text=sent.text.strip(), at=row.at)

    return act(caller, work, sent=sent, status=201, needs_key=True)


@router.get("/reminders", summary="What this program is to be reminded of now")
def due(caller: Responder) -> list[ReminderView]:
    """Its own reminders, cases that were taken from it, and replies that could not be said."""
    with caller.database.reading() as session:
        return [_reminder(session, one) for one in notebook.due_reminders(session, caller.id, caller.now)]


@router.get("/cases/{number}/reminders", summary="Its reminders on a case")
def reminders(caller: Responder, number: Number) -> list[ReminderView]:
    """Those that are still to come or to be seen."""
    with caller.database.reading() as session:
        found = notebook.reminders_of(session, case_of(session, number).id)
        return [_reminder(session, one) for one in found if one.staff_id == caller.id]


@router.post("/cases/{number}/reminders", summary="Be reminded", status_code=201, response_model=ReminderView)
def remind(caller: Worker, number: Number, sent: NewReminder) -> Response:
    """Of a case, at a time."""

    def work(session: Session) -> ReminderView:
        case = fresh(session, caller, number)
        return _reminder(session, notebook.remind(session, case.id, caller.id, caller.now, due_at=sent.due_at))

    return act(caller, work, sent=sent, status=201, needs_key=True)


@router.post("/reminders/{reminder}/seen", summary="Put a reminder away", response_model=Done)
def seen(caller: Worker, reminder: Id) -> Response:
    """Only its own."""

    def work(session: Session) -> Done:
        if not notebook.reminder_seen(session, reminder, caller.id, caller.now):
            raise Problem("not_found")
        return Done(done=True)

    return act(caller, work)


@router.get("/cases/{number}/drafts", summary="What is written and not sent")
def drafts(caller: Responder, number: Number) -> list[DraftView]:
    """Everybody's: whoever takes a case over finds what the one before had begun."""
    with caller.database.reading() as session:
        found = notebook.drafts_of(session, caller.vault, case_of(session, number).id)
    return [DraftView(staff=who, texts=list(one.names), words=one.text, saved_at=one.saved_at) for who, one in found.items()]


@router.put("/cases/{number}/draft", summary="Keep a draft")
def save_draft(caller: Worker, number: Number, sent: NewDraft) -> Done:
    """Instead of the one this program had; an empty one drops it."""

    def work(session: Session) -> Done:
        case_id = case_of(session, number).id
        notebook.save_draft(session, caller.vault, case_id, caller.id, caller.now, names=sent.texts, text=sent.words)
        return Done(done=True)

    return not_remembered(caller, work)


def _reminder(session: Session, row: CaseReminder) -> ReminderView:
    return ReminderView(id=row.id, case=case_with(session, row.case_id).number, why=row.why, due_at=row.due_at)
