"""One-time codes: made, hashed, compared, and laid down for the worker to send.

A code is six digits from the system's random source, good for ten minutes and one use. At rest there is a keyed hash bound to its
check, purpose and moment; the code itself lies sealed in the row of its dispatch until the worker has sent it.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from math import ceil

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from bot.base.vault import BlindIndex
from bot.identity import limits, places
from bot.identity.models import CODE, Check, CodeDispatch, DispatchKind, How, Way
from bot.identity.steps import Asked, Tools
from bot.patients import references
from bot.patients.models import ContactPoint

GOOD_FOR = timedelta(minutes=10)
"""NIST SP 800-63B: an out-of-band secret is invalid after ten minutes."""
TRIES = 5
OVERDUE = timedelta(minutes=2)
"""When a code should have come. It says nothing about whether one was sent: everybody is told the same after the same time."""
NOTE_GOOD_FOR = timedelta(hours=12)
VALUES = {"minutes": "10"}


def new_code() -> str:
    """Six digits that nobody can foresee."""
    return f"{secrets.randbelow(10**6):06}"


def minutes(span: timedelta) -> dict[str, str]:
    """A span as the value of a wording, in whole minutes and at least one."""
    return {"minutes": str(max(1, ceil(span.total_seconds() / 60)))}


def wait(wrong: int) -> timedelta:
    """How long no code is looked at after so many wrong ones: a slip costs nothing, then 1, 2 and 4 minutes."""
    return timedelta(minutes=2 ** (wrong - 2)) if wrong > 1 else timedelta(0)


def queue(
    session: Session, tools: Tools, check: Check, place: places.Place | None, way: Way, asked: Asked, *, own: bool = False
) -> bool:
    """Lay a code down for the worker, or a row just like it without a send; returns whether the code can be right.

    The code before this one is worth nothing any more. `own`: the line has the very address to which the code goes.
    """
    destination = place.point.entry if place else secrets.token_hex(32)
    full = limits.destination_full(session, tools.limits, destination, asked.at, own=own)
    armed = place if place and not full else None
    code = tools.new_code()
    check.way, check.code_until = way.value, asked.at + GOOD_FOR
    check.code_entry = tools.index.index("code", _bound(check, code))
    check.contact_point_id = armed.point.id if armed else None
    check.person_id = armed.person_id if armed else None
    for column in ("contact_point_id", "person_id"):  # written for nobody as well: the statement is the same
        flag_modified(check, column)
    session.add(
        CodeDispatch(
            check_id=check.id,
            thread_id=check.thread_id,
            kind=DispatchKind.CODE.value,
            way=way.value,
            language=asked.language.value,
            contact_point_id=check.contact_point_id,
            destination=destination,
            subject=check.subject[0],
            network=asked.network,
            reference=secrets.token_urlsafe(18),
            sealed_code=tools.vault.seal(code, CODE),
            due_at=asked.at,
            until=check.code_until,
            created_at=asked.at,
        )
    )
    return armed is not None


def fits(index: BlindIndex, check: Check, typed: str) -> bool:
    """Whether this is the code that was sent for the check; in constant time, and never for nobody."""
    entries = index.every("code", _bound(check, typed))
    same = [hmac.compare_digest(entry, check.code_entry or "-") for entry in entries]
    return any(same) and check.contact_point_id is not None


def _bound(check: Check, code: str) -> str:
    until = check.code_until.isoformat() if check.code_until else ""
    return "\n".join((str(check.id), str(check.session_id), check.deed, until, code))


def holders_of(session: Session, found: places.File, check: Check) -> list[int]:
    """The persons among these who share the contact that the check has proven."""
    point = session.get(ContactPoint, check.contact_point_id) if check.contact_point_id else None
    return places.holders(found, point.entry) if point else []


def tell_elsewhere(session: Session, check: Check, asked: Asked) -> None:
    """Have another contact of the person told that somebody was verified, if there is another."""
    found = places.file_of_person(session, check.person_id or 0)
    used = session.get(ContactPoint, check.contact_point_id) if check.contact_point_id else None
    ways = (Way.EMAIL, Way.MOBILE) if check.how in (How.MOBILE, How.WHATSAPP) else (Way.MOBILE, Way.EMAIL)
    others = [(way, point) for way in ways for _, point in found.reachable(way) if used is None or point.entry != used.entry]
    if not others:
        return
    way, point = others[0]
    session.add(
        CodeDispatch(
            check_id=check.id,
            thread_id=check.thread_id,
            kind=DispatchKind.NOTE.value,
            way=way.value,
            language=found.persons[0].language,
            contact_point_id=point.id,
            destination=point.entry,
            subject=references.KIND,
            reference=secrets.token_urlsafe(18),
            due_at=asked.at,
            until=asked.at + NOTE_GOOD_FOR,
            created_at=asked.at,
        )
    )
