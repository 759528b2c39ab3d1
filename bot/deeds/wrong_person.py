"""Whoever reads at a contact said that it is not the person, or that the person has died: it stops, and a person looks.

It is taken from anybody, without proof: the harm of stopping one contact is small and undone by the team, the harm of going on is
not. The answer is the same whether the address is on file or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Thread
from bot.conversations.post.arrivals import ADDRESS
from bot.deeds.disowning import Disowned
from bot.deeds.shapes import Asked, Done
from bot.desk.persons import told
from bot.identity import state
from bot.identity.models import Check, CheckStatus, CodeDispatch, DispatchKind, Ending
from bot.patients.disclosure import HoldReason, hold
from bot.patients.finding import Found, contacts_at
from bot.patients.models import ContactPoint, Retirement

DEED = "not_this_person"
NOTED_WITHIN = timedelta(days=7)
"""How long after a note that somebody was verified "not me" is taken for an answer to it."""


def carry_out(session: Session, vault: Vault, index: BlindIndex, asked: Asked) -> Done:
    """Stop what has to stop for this address, and open a case; the same words and case for an address nobody has on file."""
    kind = Disowned(asked.details.get("kind", Disowned.NOT_ME))
    points = _points(session, vault, index, asked.thread_id)
    doubted = _doubted(session, points, asked.at) if kind is Disowned.NOT_ME else []
    doubted += _changed(session, vault, index, asked) if kind is Disowned.NOT_ME else []
    if doubted:
        _hold(session, vault, doubted, HoldReason.IDENTITY_DOUBTED, asked.at)
    elif kind is Disowned.DIED:
        persons = {point.person_id for point in points}
        if len(persons) == 1:  # of several who share it, a person finds out who has died
            _hold(session, vault, sorted(persons), HoldReason.DEATH_REPORTED, asked.at)
            _retire(points, Retirement.DECEASED, asked.at)
    else:
        _end_verified(session, vault, {point.person_id for point in points}, asked.at)
        _retire(points, Retirement.WRONG_PERSON, asked.at)
    content = {"said": kind.value, "persons": sorted({point.person_id for point in points}), "answers_a_note": bool(doubted)}
    subject = f"thread:{asked.thread_id}"
    audit.record(session, at=asked.at, actor="patient", kind="contact.disowned", subject=subject, content=content, vault=vault)
    if kind is Disowned.DIED:
        return Done(("person_died",), reason="deceased_patient")
    return Done(("not_this_person",), reason="identity_doubted" if doubted else "wrong_contact")


def _points(session: Session, vault: Vault, index: BlindIndex, thread_id: int) -> Sequence[ContactPoint]:
    """The contact points with the address of this line."""
    thread = session.get_one(Thread, thread_id)
    if not thread.sealed_address:
        return []
    found = Found.EMAIL if thread.channel == "email" else Found.PHONE
    return contacts_at(session, index, found, vault.open(thread.sealed_address, ADDRESS))


def _changed(session: Session, vault: Vault, index: BlindIndex, asked: Asked) -> list[int]:
    """Of whose changed contact this line was lately told, also where it is the one that was replaced."""
    thread = session.get_one(Thread, asked.thread_id)
    if not thread.sealed_address:
        return []
    found = Found.EMAIL if thread.channel == "email" else Found.PHONE
    return told.changed_lately(session, index, found, vault.open(thread.sealed_address, ADDRESS), asked.at)


def _doubted(session: Session, points: Sequence[ContactPoint], at: datetime) -> list[int]:
    """Whom somebody was lately verified as, where one of these contacts was told of it."""
    ids = [point.id for point in points]
    noted = (
        select(Check.person_id)
        .join(CodeDispatch, CodeDispatch.check_id == Check.id)
        .where(CodeDispatch.kind == DispatchKind.NOTE.value, CodeDispatch.contact_point_id.in_(ids))
        .where(CodeDispatch.created_at > at - NOTED_WITHIN, Check.person_id.is_not(None))
    )
    return [person_id for person_id in session.scalars(noted) if person_id is not None]


def _hold(session: Session, vault: Vault, persons: Sequence[int], because: HoldReason, at: datetime) -> None:
    for person_id in dict.fromkeys(persons):
        hold(session, person_id, because, at)
    _end_verified(session, vault, set(persons), at)


def _end_verified(session: Session, vault: Vault, persons: set[int], at: datetime) -> None:
    """Nobody goes on being verified as one of these persons."""
    on = select(Check).where(Check.person_id.in_(persons), Check.status == CheckStatus.VERIFIED.value)
    for check in session.scalars(on):
        state.over(session, vault, check, Ending.STAFF, at)


def _retire(points: Sequence[ContactPoint], because: Retirement, at: datetime) -> None:
    for point in points:
        point.retired_at, point.retired_because = at, because.value
