"""Writing to a patient: approved texts, a preview, a reply, taking it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.desk.records import StaffReply
from bot.desk.sight import catalogue
from bot.desk.sight.casefile import casefile
from bot.desk.staff.roles import Scope
from bot.desk.work import answers
from bot.desk.work.composing import Composed, preview
from bot.desk.work.speech import Flaw, Objection
from bot.identity.state import verified_person
from bot.web.api.acting import act, case_of, fresh
from bot.web.api.cursors import cursor_of, name_of
from bot.web.api.door import Caller, Writer, reads, writes
from bot.web.api.problems import Problem
from bot.web.api.shapes import talking
from bot.web.api.shapes.base import Cursor, Done, Id, Limit, Name, Number
from bot.web.api.shapes.cases import Channel
from bot.web.api.shapes.talking import NewReply, Preview, ReplyView, TextPage, TextView
from bot.web.console.pages.case.tools import rules_for

router = APIRouter()
Worker = Annotated[Writer, writes(Scope.CASES_WORK)]
Texts = Annotated[Caller, reads(Scope.TEXTS_READ)]
IN_WORDS = {
    Flaw.EMPTY: "It has neither an approved text nor a word of its own.",
    Flaw.TOO_LONG: "Its own words are too long.",
    Flaw.PRIVATE: "It holds something private.",
    Flaw.LINK: "It holds a link that is not ours.",
    Flaw.NEVER_SAID: "It says something that no text of ours may say.",
    Flaw.OTHER_LANGUAGE: "It is not in the patient's language.",
    Flaw.NO_SUCH_TEXT: "No text is published under this name, or it cannot be said now.",
    Flaw.WINDOW_CLOSED: "The channel takes no own words now: the patient has to write first.",
    Flaw.NOT_TRANSLATED: "An approved text does not exist in the patient's language.",
}


@router.get("/texts", summary="Approved texts", tags=["texts"])
def texts(
    caller: Texts,
    q: Annotated[str, Query(max_length=200, description="Words of a topic or text; without any, all texts by name.")] = "",
    language: Annotated[Language, Query(description="In which language.")] = Language.EN,
    channel: Annotated[Channel, Query(description="For which channel.")] = "web",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> TextPage:
    """By topic and language, as a patient would read them; texts for verified patients are not among them."""
    with caller.database.reading() as session:
        published = caller.published(session)
    content, case_number = published.content, ""
    if q.strip():
        found = catalogue.found(content, q, language=language, channel=channel, case_number=case_number, reader=Language.EN)
        return TextPage(texts=[_text(one) for one in found], publication=published.id, next=None)
    names = [name for name in sorted(content["wordings"]) if catalogue.is_offered(content, name)]
    after = name_of(cursor) if cursor else ""
    rest = [name for name in names if name > after]
    made = [catalogue.text_of(content, name, language, channel, case_number, Language.EN) for name in rest[:limit]]
    following = cursor_of((rest[limit - 1],)) if len(rest) > limit else None
    return TextPage(texts=[_text(one) for one in made if one is not None], publication=published.id, next=following)


@router.get("/texts/{name}", summary="An approved text", tags=["texts"])
def text(
    caller: Texts,
    name: Annotated[Name, Path(description="Its name.", examples=["scam_message_check"])],
    language: Annotated[Language, Query(description="In which language.")] = Language.EN,
    channel: Annotated[Channel, Query(description="For which channel.")] = "web",
) -> TextView:
    """As a patient would read it."""
    with caller.database.reading() as session:
        content = caller.published(session).content
    is_there = name in content["wordings"] and catalogue.is_offered(content, name)
    found = catalogue.text_of(content, name, language, channel, "", Language.EN) if is_there else None
    if found is None:
        raise Problem("not_found")
    return _text(found)


@router.get("/cases/{number}/texts", summary="The texts that lie nearest", tags=["replies"])
def suggested(caller: Annotated[Caller, reads(Scope.CASES_WORK)], number: Number) -> list[TextView]:
    """The help of its emergencies, pinned, then what the patient asked about lately, in their language and channel."""
    with caller.database.reading() as session:
        file = casefile(session, caller.vault, case_of(session, number).id, caller.now, lines=1)
        thread = max(file.threads, key=lambda one: (one.heard_at is not None, one.heard_at, -one.id))
        found = catalogue.suggested(
            caller.published(session).content,
            reasons=[one.reason for one in file.reasons],
            topics=[name for name, _ in file.topics],
            language=Language(thread.language),
            channel=thread.channel,
            case_number=file.case.number,
            reader=Language.EN,
        )
    return [_text(one) for one in found]


@router.post("/cases/{number}/preview", summary="A reply as the patient would read it", tags=["replies"])
def previewed(caller: Worker, number: Number, sent: NewReply) -> Preview:
    """With everything that speaks against sending it; nothing is sent."""
    composed = _composed(sent)
    with caller.database.reading() as session:
        case, published = case_of(session, number), caller.published(session)
        thread = answers.thread_for(session, case, composed.thread_id)
        made = preview(session, rules_for(caller.settings, published), published, case, thread, composed, caller.now)
    return Preview(text=made.text, objections=[_objection(one) for one in made.objections], segments=made.segments)


@router.get("/cases/{number}/replies", summary="Replies that can be taken back", tags=["replies"])
def pending(caller: Annotated[Caller, reads(Scope.CASES_WORK)], number: Number) -> list[ReplyView]:
    """Those that have not left yet, of everybody."""
    with caller.database.reading() as session:
        return [_reply(caller, one) for one in answers.pending(session, case_of(session, number).id)]


@router.post(
    "/cases/{number}/replies", summary="Reply to the patient", tags=["replies"], status_code=201, response_model=ReplyView
)
def reply(caller: Worker, number: Number, sent: NewReply) -> Response:
    """Approved texts and a short part of one's own; leaves after ten seconds.

    The case must be this program's. Refused once when the patient has written since `seen_number` (`stale_reply`), and
    whenever own words hold an identity, card or telephone number, an address, a foreign link or what may never be said
    (`reply_refused`).
    """

    def work(session: Session) -> ReplyView:
        case, published = fresh(session, caller, number), caller.published(session)
        rules, composed = rules_for(caller.settings, published), _composed(sent)
        accepted = answers.send(
            session, caller.vault, published, rules, case.id, caller.id, caller.now, composed, verified_person
        )
        if accepted.stale:
            raise Problem("stale_reply", last_number=accepted.last_number)
        if accepted.reply is None:
            raise Problem("reply_refused", objections=[_objection(one).model_dump() for one in accepted.objections])
        return _reply(caller, accepted.reply)

    return act(caller, work, sent=sent, status=201, needs_key=True)


@router.post("/cases/{number}/replies/{reply}/undo", summary="Take a reply back", tags=["replies"], response_model=Done)
def undo(caller: Worker, number: Number, reply: Id) -> Response:
    """Within ten seconds, by whoever wrote it; its words are their draft again."""

    def work(session: Session) -> Done:
        case = case_of(session, number)
        if reply not in {one.id for one in answers.pending(session, case.id)}:
            raise Problem("too_late")
        if not answers.undo(session, caller.vault, reply, caller.id, caller.now):
            raise Problem("too_late")
        return Done(done=True)

    return act(caller, work)


def _composed(sent: NewReply) -> Composed:
    names = tuple(dict.fromkeys(sent.texts))
    return Composed(names, sent.words, sent.seen_number, sent.thread, sent.in_english)


def _text(one: catalogue.Text) -> TextView:
    return TextView(name=one.name, label=one.label, text=one.text, is_translated=one.is_translated, is_pinned=one.is_pinned)


def _objection(one: Objection) -> talking.Objection:
    return talking.Objection(flaw=one.flaw.value, what=one.what, words=IN_WORDS[one.flaw])


def _reply(caller: Caller, row: StaffReply) -> ReplyView:
    return ReplyView(
        id=row.id,
        status=row.status,
        leaves_at=row.due_at,
        thread=row.thread_id,
        texts=list(row.names),
        words=answers.words_of(caller.vault, row),
        staff=row.staff_id,
    )
