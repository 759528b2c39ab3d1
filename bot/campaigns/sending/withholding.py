"""Who is not written to after all: looked at in the transaction that takes the notice up, because a plan is hours or days old."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.lifecycle import moving
from bot.base.vault import Vault
from bot.campaigns.audience import Because
from bot.campaigns.models import Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.office import Office
from bot.campaigns.sending import suppressed
from bot.channels.base import line
from bot.conversations.models import Thread
from bot.conversations.post.arrivals import LINE
from bot.patients.disclosure import PersonHold, PersonWish
from bot.patients.models import CONTACT, Person, Retirement, Way

GONE = frozenset({Retirement.WRONG_PERSON.value, Retirement.DECEASED.value, Retirement.REPLACED.value})
"""Retired because of something a person said; a later file alone does not change a frozen campaign."""

ACTOR = "campaign"
LEFT = (Obligation.id, Obligation.campaign_id, Obligation.person_id, Obligation.because)
"""What `prove_left` needs of each."""
SETTLED = "this person has been told already"
WRONG = "this contact is not the person's any more"
STOPPED = "the person wished no more messages"
OPTED_OUT = "the patient stopped messages from this number"
NO_TEMPLATE = "WhatsApp has approved no text for this notice"
SUPPRESSED = "SendGrid does not write to this address any more ({0})"
NO_CONSENT = "the patient has not written to us on WhatsApp"


def sort_out(session: Session, office: Office, rows: Sequence[Any], channel: Way, at: datetime) -> set[int]:
    """Withhold what must not be sent and let the ladder go on, or leave the person to the team; returns the notices."""
    persons = {one for row in rows for one in (row.person_id, row.reader_id)}  # a guardian reads what concerns the ward
    still = (PersonHold.person_id.in_(persons), PersonHold.lifted_at.is_(None))
    held = set(session.scalars(select(PersonHold.person_id).where(*still)))
    wished = (PersonWish.person_id.in_(persons), PersonWish.stopped_at.is_not(None))
    stopped = set(session.scalars(select(PersonWish.person_id).where(*wished)))
    unreachable = (Person.id.in_([row.reader_id for row in rows]), Person.deceased | Person.protected)
    held |= set(session.scalars(select(Person.id).where(*unreachable)))
    lines = _lines(session, office, rows, channel)
    dropped = suppressed.withheld(session, [row.entry for row in rows]) if channel is Way.EMAIL and rows else {}
    found: set[int] = set()
    for row in rows:
        because = _because(row, held)
        why = because.value if because else _why(row, stopped, lines.get(row.id), channel)
        if not why and (listed := dropped.get(row.entry)):
            why = SUPPRESSED.format(listed)
        if not why:
            continue
        found.add(row.id)
        if because:
            leave(session, office, row, because, why, at)
        else:
            skip(session, office, row, why, at)
    return found


def skip(session: Session, office: Office, row: Any, why: str, at: datetime) -> None:
    """Withhold a notice and let the next rung begin."""
    _withhold(session, office, row, why, at)
    session.execute(update(Obligation).where(Obligation.id == row.obligation_id).values(next_at=at))


def leave(session: Session, office: Office, row: Any, because: Because, why: str, at: datetime) -> None:
    """Withhold a notice and leave its person to the team."""
    _withhold(session, office, row, why, at)
    to_team(session, office.vault, [row.obligation_id], because, at)


def to_team(session: Session, vault: Vault, obligations: Sequence[int], because: Because, at: datetime) -> None:
    """Leave people to the team, those whom the ladder still had; each of them stands in the log."""
    left = moving(Obligation, ObligationStatus.MANUAL).where(Obligation.id.in_(obligations))
    left = left.values(because=because.value, next_at=None).execution_options(synchronize_session=False)
    prove_left(session, vault, session.execute(left.returning(*LEFT)).all(), at)


def prove_left(session: Session, vault: Vault, rows: Sequence[Any], at: datetime) -> None:
    """An entry for each person who is left to the team: why no rung goes on."""
    entries = [
        (
            f"obligation.{ObligationStatus.MANUAL.value}",
            f"person:{row.person_id}",
            {"campaign": row.campaign_id, "obligation": row.id, "because": row.because},
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]
    audit.record_all(session, at=at, actor=ACTOR, entries=entries, vault=vault)


def _withhold(session: Session, office: Office, row: Any, why: str, at: datetime) -> None:
    held = moving(Notice, NoticeStatus.WITHHELD).where(Notice.id == row.id).values(reason=why[:120], settled_at=at)
    held = held.execution_options(synchronize_session=False)
    for one in session.execute(held.returning(Notice.id, Notice.campaign_id, Notice.person_id, Notice.channel)).all():
        content = {"notice": one.id, "campaign": one.campaign_id, "channel": one.channel, "reason": why[:120]}
        entry = (f"notice.{NoticeStatus.WITHHELD.value}", f"person:{one.person_id}", content)
        audit.record_all(session, at=at, actor=ACTOR, entries=[entry], vault=office.vault)


def _because(row: Any, held: set[int]) -> Because | None:
    if row.deceased:
        return Because.DECEASED
    if row.protected:
        return Because.PROTECTED
    return Because.HELD if held & {row.person_id, row.reader_id} else None


def _why(row: Any, stopped: set[int], thread: tuple[bool] | None, channel: Way) -> str:
    if row.owed != ObligationStatus.OPEN.value:
        return SETTLED
    if row.retired_because in GONE:
        return WRONG
    if stopped & {row.person_id, row.reader_id}:
        return STOPPED
    if thread is None:
        return NO_CONSENT if channel is Way.WHATSAPP else ""
    return OPTED_OUT if thread[0] else ""


def _lines(session: Session, office: Office, rows: Sequence[Any], channel: Way) -> dict[int, tuple[bool]]:
    """Of each notice whether the person has a line with us, on whichever of our numbers, and stopped one."""
    if channel is Way.EMAIL or not rows:
        return {}
    ours = {office.own.get(channel.value, ""), *office.lines.get(channel.value, ())}
    by_entry: dict[str, list[int]] = defaultdict(list)  # a household shares a number
    for row in rows:
        number = office.vault.open(row.sealed_value, CONTACT)
        for own in ours:
            for entry in office.index.every(LINE, line(channel.value, own, number)):
                by_entry[entry].append(row.id)
    lines = select(Thread.address_index, Thread.opted_out_at).where(Thread.address_index.in_(list(by_entry)))
    found: dict[int, tuple[bool]] = {}
    for entry, stopped in session.execute(lines):
        for row in by_entry[entry]:
            found[row] = (stopped is not None or found.get(row, (False,))[0],)
    return found
