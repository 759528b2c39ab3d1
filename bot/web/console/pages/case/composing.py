"""Writing to the patient: the draft on the server, the approved texts, sending, and taking back.

Everything a responder types is kept as their draft, and every answer shows the draft: so a reload, a refusal or a process
that died loses no word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.desk.sight import catalogue
from bot.desk.sight.casefile import case_with
from bot.desk.staff.roles import Permission
from bot.desk.work import answers, notebook
from bot.desk.work.composing import Composed
from bot.identity.state import verified_person
from bot.web.console.door import Sent, Staff, requires, whole
from bot.web.console.notices import refused, said
from bot.web.console.pages.case.composer import composer, in_words
from bot.web.console.pages.case.tools import CASE, CaseId, published_of, router, rules_of, to_case
from bot.web.console.rendering import page

Responder = Annotated[Staff, requires(Permission.WORK_CASES)]
MOST_TEXTS = 8
"""Approved texts in one reply."""


@router.post(f"{CASE}/draft", response_class=HTMLResponse)
def draft(staff: Responder, case_id: CaseId) -> Response:
    """Keep what is written, a text put to it or taken off; tells the script what would be sent, and others the whole page."""
    composed = _composed(staff.sent)
    with staff.database.writing() as session:
        case_with(session, case_id)
        notebook.save_draft(session, staff.vault, case_id, staff.id, staff.now, names=composed.names, text=composed.free)
    if "x-fragment" not in staff.request.headers:
        return to_case(staff, case_id, anchor="composer", english=composed.in_english)
    with staff.database.reading() as session:
        case = case_with(session, case_id)
        made = composer(staff, session, published_of(staff, session), case, composed)
    return page(staff, "console/case_composed.html", composer=made, is_mine=case.claimed_by == staff.id)


@router.post(f"{CASE}/texts", response_class=HTMLResponse)
def texts(staff: Responder, case_id: CaseId) -> Response:
    """Approved texts by topic or word, as the patient would read them."""
    with staff.database.reading() as session:
        case, published = case_with(session, case_id), published_of(staff, session)
        thread = answers.thread_for(session, case, _thread_id(staff.sent))
        found = catalogue.found(
            published.content,
            staff.sent.get("q", 200),
            language=Language(thread.language),
            channel=thread.channel,
            case_number=case.number,
            reader=staff.language,
        )
    return page(staff, "console/case_texts.html", texts=found, asked=True, language_of_patient=thread.language)


@router.post(f"{CASE}/send")
def send(staff: Responder, case_id: CaseId) -> Response:
    """Send what is written: refused once when the patient has written since, and whenever something speaks against it."""
    composed = _composed(staff.sent)
    with staff.database.writing() as session:
        # Kept first, apart from sending: whatever refuses the reply must not cost its words.
        notebook.save_draft(session, staff.vault, case_id, staff.id, staff.now, names=composed.names, text=composed.free)
    with staff.database.writing() as session:
        published = published_of(staff, session)
        rules = rules_of(staff, published)
        accepted = answers.send(session, staff.vault, published, rules, case_id, staff.id, staff.now, composed, verified_person)
    if accepted.stale:
        return to_case(staff, case_id, refused("case.stale"), anchor="new", new=composed.seen_number, english=composed.in_english)
    if accepted.objections:
        wrong = [refused("case.flaw", sentence=in_words(staff, one)) for one in accepted.objections[:3]]
        return to_case(staff, case_id, *wrong, anchor="composer", english=composed.in_english)
    return to_case(staff, case_id, said("case.sent", seconds=int(answers.UNDO.total_seconds())), anchor="leaving")


@router.post(f"{CASE}/undo/{{reply_id}}")
def undo(staff: Responder, case_id: CaseId, reply_id: int) -> Response:
    """Take a reply back in its ten seconds; its words are the draft again."""
    with staff.database.writing() as session:
        taken = answers.undo(session, staff.vault, reply_id, staff.id, staff.now)
    return to_case(staff, case_id, said("case.undone") if taken else refused("case.too_late"), anchor="composer")


@router.post(f"{CASE}/draft/use")
def use_draft(staff: Responder, case_id: CaseId) -> Response:
    """Go on with what the colleague who had the case before has written."""
    with staff.database.writing() as session:
        theirs = notebook.drafts_of(session, staff.vault, case_id).get(staff.sent.number("of"))
        if theirs is not None:
            notebook.put_back(session, staff.vault, case_id, staff.id, staff.now, names=theirs.names, text=theirs.text)
    return to_case(staff, case_id, anchor="composer")


def _composed(sent: Sent) -> Composed:
    names = dict.fromkeys(name[:80] for name in (*sent.all("names"), *sent.all("add")) if name)
    names.pop(sent.get("drop", 80), None)
    if len(names) > MOST_TEXTS:
        raise BadInput("A reply holds eight approved texts at most.")
    composed = Composed(
        tuple(names), sent.raw("free").replace("\r\n", "\n"), thread_id=_thread_id(sent), in_english=sent.get("english") == "1"
    )
    return replace(composed, seen_number=_seen(sent, composed.thread_id))


def _thread_id(sent: Sent) -> int | None:
    return whole(sent.get("thread")) if sent.get("thread") else None


def _seen(sent: Sent, thread_id: int | None) -> int:
    for each in sent.all("seen"):
        thread, _, number = each.partition(":")
        if thread_id is None or whole(thread) == thread_id:
            return whole(number)
    return 0
