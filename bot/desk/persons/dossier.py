"""Everything held here about one person, as a ZIP file for a data access request: readable by people and by machines.

Only threads of which it was shown that they are this person's are in it: what stands at an address alone may be somebody
else's. Notes of the team and the log stay out; who asked and who agreed is in the log.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.clock import in_hong_kong
from bot.base.vault import Vault
from bot.conversations.models import Thread
from bot.conversations.transcript import Line, lines_after
from bot.desk.models import Case, CaseReason
from bot.desk.persons.models import ContactNote
from bot.desk.records import CasePerson
from bot.desk.staff.models import Approval
from bot.desk.work.persons import PROVEN
from bot.patients.disclosure import PersonWish
from bot.patients.finding import address_of, particulars
from bot.patients.models import ContactPoint, Person
from bot.patients.notices.models import NoticeOnFile
from bot.patients.notices.received import Received

PAGE = 500
README = (
    "This file holds what our breach response system holds about one person on the date below. / "
    "本檔案載有本集團事故應變系統於下列日期持有關於一名人士的資料。\n\n"
    "person.json      who is on file, contact points, categories of data, wishes / 檔案資料、聯絡方法、資料類別、意願\n"
    "notices.json     notices that were sent / 已發送的通知\n"
    "notice-*.txt     what they said / 通知內容\n"
    "cases.json       cases the response team handled / 應變團隊處理的個案\n"
    "thread-*.txt     conversations, times in Hong Kong / 對話紀錄（香港時間）\n"
    "thread-*.json    the same for machines, times in UTC / 同上，供電腦讀取（協調世界時）\n\n"
    "Health records are not held in this system. / 本系統不持有醫療紀錄。\n"
)


def dossier(
    session: Session,
    vault: Vault,
    person_id: int,
    threads: Sequence[int],
    request: Approval,
    *,
    by: int,
    at: datetime,
    sent: Sequence[Received] = (),
) -> bytes:
    """The ZIP file; `sent` are the notices of campaigns. That it was fetched, and by whom, goes into the log."""
    person = session.get_one(Person, person_id)
    files: dict[str, str] = {"README.txt": f"{README}\n{in_hong_kong(at):%Y-%m-%d %H:%M} HKT\n"}
    files["person.json"] = _json(_person(session, vault, person))
    files["notices.json"] = _json([*_notices(session, person_id), *(_sent(place, one) for place, one in enumerate(sent, 1))])
    files |= {f"notice-{place}.txt": _letter(one) for place, one in enumerate(sent, 1)}
    files["cases.json"] = _json(_cases(session, person_id, threads))
    for thread in session.scalars(select(Thread).where(Thread.id.in_(threads)).order_by(Thread.id)):
        lines = list(_lines(session, vault, thread.id))
        files[f"thread-{thread.id}.txt"] = "\n\n".join(_readable(line) for line in lines) + "\n"
        files[f"thread-{thread.id}.json"] = _json({"channel": thread.channel, "lines": [_plain(line) for line in lines]})
    content = {"request": request.id, "threads": list(threads), "files": len(files)}
    subject = f"person:{person_id}"
    audit.record(session, at=at, actor=f"staff:{by}", kind="person.exported", subject=subject, content=content, vault=vault)
    return _packed(files, at)


def _person(session: Session, vault: Vault, person: Person) -> Mapping[str, Any]:
    known = particulars(person, vault)
    points = session.scalars(select(ContactPoint).where(ContactPoint.person_id == person.id).order_by(ContactPoint.id))
    wish = session.get(PersonWish, person.id)
    return {
        "number": person.id,
        "key": known.key,
        "name": known.name,
        "name_zh": known.name_zh,
        "language": person.language,
        "categories_of_data": [one.value for one in known.categories],
        "notices_stopped_at": _moment(wish.stopped_at if wish else None),
        "contact_points": [
            {
                "kind": point.kind,
                "value": address_of(point, vault),
                "source": point.source,
                "added_at": _moment(point.added_at),
                "not_used_since": _moment(point.retired_at),
                "because": point.retired_because,
            }
            for point in points
        ],
    }


def _notices(session: Session, person_id: int) -> list[Mapping[str, Any]]:
    noticed = session.scalars(select(NoticeOnFile).where(NoticeOnFile.person_id == person_id).order_by(NoticeOnFile.id))
    told = session.scalars(select(ContactNote).where(ContactNote.person_id == person_id).order_by(ContactNote.id))
    notes = [{"notice": "contact_changed", "way": one.channel, "status": one.status, "on": _moment(one.made_at)} for one in told]
    sent = [{"notice": one.name, "version": one.version, "way": one.way, "on": one.sent_on.isoformat()} for one in noticed]
    return [*sent, *notes]


def _sent(place: int, one: Received) -> Mapping[str, Any]:
    return {
        "notice": one.notice,
        "version": one.version,
        "way": one.way,
        "language": one.language,
        "status": one.status,
        "sent_at": _moment(one.sent_at),
        "settled_at": _moment(one.settled_at),
        "text_in": f"notice-{place}.txt",
        "text_is_as_sent": one.is_as_sent,
    }


def _letter(one: Received) -> str:
    when = f"{in_hong_kong(one.sent_at):%Y-%m-%d %H:%M} HKT" if one.sent_at else "–"
    head = f"{one.notice} {one.version} · {one.way} · {when} · {one.status}\n"
    said = one.text or "The text cannot be rendered any more. / 內容已無法重新產生。"
    return head + (f"{one.subject}\n" if one.subject else "") + f"\n{said}\n"


def _cases(session: Session, person_id: int, threads: Sequence[int]) -> list[Mapping[str, Any]]:
    linked = select(CasePerson.case_id).where(CasePerson.person_id == person_id, CasePerson.known.in_(PROVEN))
    cases = session.scalars(select(Case).where(Case.id.in_(linked) | Case.thread_id.in_(threads)).order_by(Case.id)).all()
    reasons: dict[int, list[str]] = {}
    for row in session.scalars(select(CaseReason).where(CaseReason.case_id.in_([case.id for case in cases]))):
        reasons.setdefault(row.case_id, []).append(row.reason)
    return [
        {
            "number": case.number,
            "thread": case.thread_id,
            "reasons": sorted(set(reasons.get(case.id, []))),
            "status": case.status,
            "outcome": case.outcome,
            "opened_at": _moment(case.opened_at),
            "first_answered_at": _moment(case.first_responded_at),
            "closed_at": _moment(case.resolved_at),
        }
        for case in cases
    ]


def _lines(session: Session, vault: Vault, thread_id: int) -> Sequence[Line]:
    found: list[Line] = []
    while page := lines_after(session, vault, thread_id, found[-1].number if found else 0, PAGE):
        found += page
    return found


def _readable(line: Line) -> str:
    who = {"patient": "patient 病人", "staff": "team 團隊"}.get(line.author, "assistant 自動助理")
    return f"[{in_hong_kong(line.at):%Y-%m-%d %H:%M}] {who}:\n{line.text}"


def _plain(line: Line) -> Mapping[str, Any]:
    return {
        "number": line.number,
        "kind": line.kind,
        "author": line.author,
        "language": line.language,
        "at": _moment(line.at),
        "text": line.text,
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _packed(files: Mapping[str, str], at: datetime) -> bytes:
    out = io.BytesIO()
    stamp = in_hong_kong(at).timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            packed.writestr(entry, text.encode("utf-8", "replace"))
    return out.getvalue()
