"""Telling a contact on file that a contact of the same person was changed: laid down with the change, sent by the worker.

The call is made with no transaction open. A call that broke off is not repeated: the row says `unknown` and people see it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.errors import BadInput, CandourError, ChannelError, OutcomeUnknown, TemporaryFailure, Unconfigured
from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import Channel, Outgoing, Sent
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Library
from bot.desk.persons.models import ContactNote, NoteStatus
from bot.patients.finding import Found, address_of
from bot.patients.models import ContactKind, ContactPoint, Person, Way

log = logging.getLogger(__name__)

WORDING = "contact_changed"
SUBJECT = f"{WORDING}_subject"
LEASE = timedelta(seconds=90)
"""Longer than any provider's time-out."""
TRIES = 6
WAIT = timedelta(seconds=20)
"""Before the second try; twice as long before each further one."""
ANSWERED_WITHIN = timedelta(days=7)
"""How long after a note "not me" is taken for an answer to it."""
BY = {
    ContactKind.EMAIL: ("email", Way.EMAIL),
    ContactKind.MOBILE: ("sms", Way.SMS),
    ContactKind.PHONE: ("sms", Way.SMS),
}
"""The channel of a kind of contact, and the way its person may have ruled out; a landline or a postal address takes no note."""


@dataclass(frozen=True)
class _Job:
    note_id: int
    channel: str
    language: Language
    reference: str
    their: str = field(repr=False)


def lay_down(
    session: Session, vault: Vault, person: Person, before: Sequence[ContactPoint], replaced: int | None, at: datetime
) -> list[ContactNote]:
    """Notes to the contact that was replaced and to the best other one; none where nobody may be written to.

    Where some contacts are safe no other is written to, and a person under protection gets nothing by itself.
    """
    allowed = [] if person.protected or person.deceased else [point for point in before if point.safe] or list(before)
    ruled_out = set(person.not_by.split(","))
    usable = [one for one in allowed if one.kind in BY and BY[ContactKind(one.kind)][1] not in ruled_out]
    first = [one for one in usable if one.id == replaced]
    told = [*first, *[one for one in usable if one.id != replaced][:1]]
    notes = [
        ContactNote(
            person_id=person.id,
            contact_point_id=point.id,
            channel=BY[ContactKind(point.kind)][0],
            language=person.language,
            reference=secrets.token_urlsafe(18),
            due_at=at,
            made_at=at,
        )
        for point in told
    ]
    session.add_all(notes)
    session.flush()
    content = {"person": person.id, "notes": [note.id for note in notes]}
    subject = f"person:{person.id}"
    audit.record(session, at=at, actor="desk", kind="contact.to_tell", subject=subject, content=content, vault=vault)
    return notes


def changed_lately(session: Session, index: BlindIndex, found: Found, value: str, at: datetime) -> list[int]:
    """The persons of whose changed contact this address was told within a week: "not me" from there doubts the change."""
    try:
        entries = index.every(found, value)
    except BadInput:
        return []
    told = (
        select(ContactNote.person_id)
        .join(ContactPoint, ContactPoint.id == ContactNote.contact_point_id)
        .where(ContactPoint.entry.in_(entries), ContactNote.made_at > at - ANSWERED_WITHIN)
    )
    return sorted(set(session.scalars(told)))


def send_notes(
    database: Database,
    vault: Vault,
    library: Library,
    channels: Mapping[str, Channel],
    own: Mapping[str, str],
    clock: Clock,
    limit: int = 20,
) -> int:
    """Send the notes that are due; returns how many the providers took."""
    at = clock()
    with database.reading() as session:
        if session.scalar(_due(at).limit(1)) is None:
            return 0
    with database.writing() as session:
        rows = session.scalars(_due(at).order_by(ContactNote.id).limit(limit).with_for_update(skip_locked=True)).all()
        jobs = [job for row in rows if (job := _begin(session, vault, row, at))]
    return sum(_deliver(database, vault, library, channels, own, clock, job) for job in jobs)


def _due(at: datetime) -> Select[ContactNote]:
    queued = (ContactNote.status == NoteStatus.QUEUED.value) & (ContactNote.due_at <= at)
    lost = (ContactNote.status == NoteStatus.SUBMITTING.value) & (ContactNote.lease_until <= at)
    return select(ContactNote).where(queued | lost)


def _begin(session: Session, vault: Vault, row: ContactNote, at: datetime) -> _Job | None:
    if row.status == NoteStatus.SUBMITTING:
        _settle(session, vault, row, NoteStatus.UNKNOWN, at, "whoever was sending it stopped in the middle")
        return None
    point = session.get_one(ContactPoint, row.contact_point_id)
    move(row, NoteStatus.SUBMITTING)
    row.attempts += 1
    row.lease_until = at + LEASE
    return _Job(row.id, row.channel, Language(row.language), row.reference, address_of(point, vault))


def _deliver(
    database: Database,
    vault: Vault,
    library: Library,
    channels: Mapping[str, Channel],
    own: Mapping[str, str],
    clock: Clock,
    job: _Job,
) -> bool:
    result: Sent | CandourError
    try:
        if job.channel not in channels or not own.get(job.channel):
            raise Unconfigured("this channel is not set up")
        with database.reading() as session:
            content = library.current(session, clock()).content
        said = wording.render(content, WORDING, job.language, job.channel, {}).text
        letter = _letter(content, job)
        result = channels[job.channel].send(Outgoing(own[job.channel], job.their, said, job.reference, letter=letter))
    except CandourError as known:
        result = known
    except Exception as unexpected:  # it may have been sent: the safe reading of any surprise
        log.error("note %d broke off: %s", job.note_id, type(unexpected).__name__)
        result = OutcomeUnknown("the call broke off", code=type(unexpected).__name__)
    with database.writing() as session:
        return _conclude(session, vault, job, result, clock())


def _letter(content: Mapping[str, Any], job: _Job) -> dict[str, str]:
    """The subject line of an e-mail; an older publication may have none."""
    if job.channel != "email" or SUBJECT not in content["wordings"]:
        return {}
    return {"title": wording.render(content, SUBJECT, job.language, job.channel, {}).text}


def _conclude(session: Session, vault: Vault, job: _Job, result: Sent | CandourError, at: datetime) -> bool:
    row = session.get_one(ContactNote, job.note_id, with_for_update=True)
    if row.status != NoteStatus.SUBMITTING:
        return False
    reason = (result.reason or type(result).__name__) if isinstance(result, ChannelError) else type(result).__name__
    again = isinstance(result, TemporaryFailure | Unconfigured) or not isinstance(result, Sent | ChannelError)
    if isinstance(result, Sent):
        row.provider_id = result.provider_id or None
        _settle(session, vault, row, NoteStatus.SENT, at)
    elif isinstance(result, OutcomeUnknown):
        _settle(session, vault, row, NoteStatus.UNKNOWN, at, reason)
    elif again and row.attempts < TRIES:
        move(row, NoteStatus.QUEUED)
        row.due_at, row.lease_until, row.reason = at + WAIT * 2 ** (row.attempts - 1), None, reason[:120]
    else:
        log.error("note %d could not be sent", row.id)
        _settle(session, vault, row, NoteStatus.FAILED, at, reason)
    return isinstance(result, Sent)


def _settle(session: Session, vault: Vault, row: ContactNote, to: NoteStatus, at: datetime, reason: str = "") -> None:
    move(row, to)
    row.lease_until, row.settled_at, row.reason = None, at, reason[:120]
    content = {"note": row.id, "channel": row.channel, "contact_point": row.contact_point_id}
    subject, kind = f"person:{row.person_id}", f"contact.note_{to.value}"
    audit.record(session, at=at, actor="desk", kind=kind, subject=subject, content=content, vault=vault)
