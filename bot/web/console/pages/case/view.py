"""The page of a case, read: what was said, why a person is needed, what is known of who writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.conversations.reading.private import TOKENS
from bot.conversations.speaking.publication import Published
from bot.desk.cases import REOPENS_WITHIN, reasons_of
from bot.desk.hours.deadlines import clocks
from bot.desk.hours.switches import calendar
from bot.desk.models import HELD, LIVE, Case, CaseStatus, Outcome
from bot.desk.reasons import REASONS, TEAMS
from bot.desk.records import CallResult
from bot.desk.sight import catalogue
from bot.desk.sight.casefile import LINES, Casefile, case_with, casefile, fingerprint
from bot.desk.sight.onfile import persons_on
from bot.desk.sight.searching import By
from bot.desk.staff.accounts import everybody, profile_of
from bot.desk.staff.models import AccountStatus, StaffAccount
from bot.desk.staff.roles import Permission, permitted
from bot.desk.surge.slots import booking_of
from bot.desk.trail import log
from bot.desk.work import notebook, persons, presence
from bot.desk.work.answers import pending, thread_for, words_of
from bot.desk.work.composing import Composed, preview
from bot.identity.state import last_proof
from bot.web.console.door import Staff, requires
from bot.web.console.naming import named
from bot.web.console.pages.calls import free_hours
from bot.web.console.pages.case.composer import composer
from bot.web.console.pages.case.tools import CASE, CaseId, hours_of, official_of, published_of, router, rules_of
from bot.web.console.rendering import page

MORE_LINES = 400
"""How many lines of a thread the whole transcript shows at once."""
_TOKEN = re.compile(f"({'|'.join(map(re.escape, TOKENS.values()))})")


@dataclass(frozen=True, repr=False)
class Leaving:
    """A reply that can still be taken back."""

    id: int
    staff_id: int
    text: str
    seconds: int


@router.get(CASE, response_class=HTMLResponse)
def case_page(staff: Annotated[Staff, requires(Permission.SEE_QUEUE)], case_id: CaseId) -> Response:
    """A case with all that belongs to it; that it was opened stands in the log."""
    with staff.database.reading() as session:
        published = published_of(staff, session)
        # Before the rest: what is shown is at least as new as the state that the page knows.
        state = fingerprint(session, case_id, staff.now)
        lines = MORE_LINES if staff.request.query_params.get("all") else LINES
        file = casefile(session, staff.vault, case_id, staff.now, official=official_of(published), lines=lines)
        values = {**_of_the_case(staff, session, published, file), **_of_the_work(staff, session, published, file)}
        html = page(staff, "console/case.html", state=state, **values)
    if "x-by-itself" not in staff.request.headers:
        with staff.database.writing() as session:
            log(session, staff.vault, file.case, "read", staff_id=staff.id, at=staff.now)
    return html


def pieces(text: str) -> list[tuple[str, str]]:
    """A masked text in pieces: (words, "") and ("", kind of what is hidden)."""
    kinds = {token: kind for kind, token in TOKENS.items()}
    return [("", kinds[piece]) if piece in kinds else (piece, "") for piece in _TOKEN.split(text) if piece]


def _of_the_case(staff: Staff, session: Session, published: Published, file: Casefile) -> dict[str, Any]:
    case, now = file.case, staff.now
    team = everybody(session)
    seen = {one.staff_id: one.typing for one in presence.viewers(session, case.id, now) if one.staff_id != staff.id}
    return {
        "file": file,
        "case": case,
        "names": {one.id: profile_of(one, staff.vault).name for one in team},
        "clocks": clocks(case, calendar(session, now, hours_of(published)), now),
        "others": seen,
        "persons": persons_on(session, staff.vault, case.id),
        "proof": last_proof(session, [thread.id for thread in file.threads], now),
        "mergeable": persons.others_of(session, case.id) if case.status in LIVE else [],
        "merged": persons.merged_into(session, case.id),
        "into": case_with(session, case.merged_into) if case.merged_into else None,
        "notes": notebook.notes(session, staff.vault, case.id),
        "calls": notebook.calls(session, staff.vault, case.id),
        "reminders": [one for one in notebook.reminders_of(session, case.id) if one.staff_id == staff.id],
        "topic_label": partial(named, published.content, language=staff.language),
        "own_name": lambda code: Language(code).own_name,
        "pieces": pieces,
        "new_after": _number(staff.request.query_params),
        "outcomes": list(Outcome),
        "results": list(CallResult),
        "teams": TEAMS,
        "more_reasons": [code for code in REASONS if code not in reasons_of(session, case)],
        "ways": list(By),
        "booking": booking_of(session, case.id),
        "free": free_hours(staff, session) if Permission.WORK_CASES in staff.may and case.status in LIVE else (),
        "colleagues": [one for one in team if _can_take(one) and one.id != staff.id],
    }


def _of_the_work(staff: Staff, session: Session, published: Published, file: Casefile) -> dict[str, Any]:
    case = file.case
    is_mine = case.claimed_by == staff.id and case.status in HELD
    thread = max(file.threads, key=lambda one: (one.heard_at is not None, one.heard_at, -one.id))
    drafts = notebook.drafts_of(session, staff.vault, case.id)
    mine = drafts.pop(staff.id, None)
    composed = Composed(
        mine.names if mine else (),
        mine.text if mine else "",
        thread_id=thread.id,
        in_english=bool(staff.request.query_params.get("english")),
    )
    offered = catalogue.suggested(
        published.content,
        reasons=[one.reason for one in file.reasons],
        topics=[name for name, _ in file.topics],
        language=Language(thread.language),
        channel=thread.channel,
        case_number=case.number,
        reader=staff.language,
    )
    may_work = Permission.WORK_CASES in staff.may
    return {
        "is_mine": is_mine,
        "is_live": case.status in LIVE,
        "may_work": may_work,
        "can_reopen": may_work
        and case.status == CaseStatus.RESOLVED
        and staff.now - (case.resolved_at or staff.now) <= REOPENS_WITHIN,
        "write_to": thread,
        "draft": mine,
        "drafts": drafts,
        "composer": composer(staff, session, published, case, composed),
        "offered": offered,
        "leaving": _leaving(staff, session, published, case),
    }


def _leaving(staff: Staff, session: Session, published: Published, case: Case) -> Sequence[Leaving]:
    found = []
    for reply in pending(session, case.id):
        composed = Composed(reply.names, words_of(staff.vault, reply), in_english=True)
        thread = thread_for(session, case, reply.thread_id)
        text = preview(session, rules_of(staff, published), published, case, thread, composed, staff.now).text
        left = max(0, round((reply.due_at - staff.now).total_seconds()))
        found.append(Leaving(reply.id, reply.staff_id, text, left))
    return found


def _can_take(account: StaffAccount) -> bool:
    return account.status == AccountStatus.ACTIVE and Permission.WORK_CASES in permitted(account.roles)


def _number(query: Mapping[str, str]) -> int | None:
    text = query.get("new", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
