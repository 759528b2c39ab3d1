"""Which letters of a campaign wait to be made, for whom, and in which order; who must not get one is left out here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.audience import Because
from bot.campaigns.content.letter import Sheet
from bot.campaigns.models import Campaign, Notice, NoticeStatus, Obligation, ObligationStatus, Segment
from bot.campaigns.office import Office
from bot.campaigns.paper.addressing import lines_of, number_of
from bot.campaigns.paper.models import Letter
from bot.campaigns.sending import withholding
from bot.campaigns.sending.press import rendered
from bot.campaigns.sending.printed import references_of
from bot.campaigns.texts import Text
from bot.patients.disclosure import PersonHold
from bot.patients.finding import Particulars
from bot.patients.models import CONTACT, RECORD, Category, ContactPoint, Person, Way


@dataclass(frozen=True)
class Waiting:
    """One letter that is to be made."""

    notice_id: int
    digest: str
    language: str
    clinic: str
    sheet: Sheet = field(repr=False)


def waiting(session: Session, office: Office, campaign: Campaign, most: int) -> list[Waiting]:
    """Up to so many letters, in the order of the printing house: by language, clinic and number.

    Whoever has died, is protected, was told meanwhile or has an address that cannot be printed gets none. The caller commits.
    """
    at = office.clock()
    rows = session.execute(_listed(campaign.id, most)).all()
    kept = _sorted_out(session, office, rows, at)
    printed = references_of(session, office, kept, at)
    texts: dict[int, Text] = {}
    found = []
    for row in kept:
        try:
            found.append(_one(session, office, campaign, row, texts, printed[row.obligation_id]))
        except BadInput as wrong:  # one person's record must not keep the others waiting
            withholding.leave(session, office, row, Because.UNWRITABLE, str(wrong), at)
    return sorted(found, key=lambda one: (one.language, one.clinic, one.notice_id))


def _sorted_out(session: Session, office: Office, rows: Sequence[Any], at: datetime) -> list[Any]:
    """Those who still get one. A wish for no more messages is no reason: it is about messages."""
    still = (PersonHold.person_id.in_([row.person_id for row in rows]), PersonHold.lifted_at.is_(None))
    held, kept = set(session.scalars(select(PersonHold.person_id).where(*still))), []
    for row in rows:
        because = Because.DECEASED if row.deceased else Because.PROTECTED if row.protected else None
        because = because or (Because.HELD if row.person_id in held else None)
        if because is not None:
            withholding.leave(session, office, row, because, because.value, at)
        elif row.owed != ObligationStatus.OPEN.value:
            withholding.skip(session, office, row, withholding.SETTLED, at)
        elif row.retired_because in withholding.GONE:
            withholding.skip(session, office, row, withholding.WRONG, at)
        else:
            kept.append(row)
    return kept


def count(session: Session, campaign_id: int) -> int:
    """How many letters wait to be made."""
    return len(session.execute(_listed(campaign_id, 1_000_000).with_only_columns(Notice.id)).all())


def _listed(campaign_id: int, most: int) -> Any:
    columns = (
        *(Notice.id, Notice.obligation_id, Notice.person_id, Notice.segment_id, Obligation.status.label("owed")),
        *(Obligation.sealed_reference, Person.sealed_record, Person.deceased, Person.protected),
        *(ContactPoint.sealed_value, ContactPoint.retired_because, Segment.language),
    )
    wanted = select(*columns).join(Obligation, Obligation.id == Notice.obligation_id).join(Person, Person.id == Notice.person_id)
    wanted = wanted.join(ContactPoint, ContactPoint.id == Notice.contact_point_id).join(Segment, Segment.id == Notice.segment_id)
    wanted = wanted.outerjoin(Letter, Letter.notice_id == Notice.id).where(
        Notice.campaign_id == campaign_id,
        Notice.channel == Way.LETTER.value,
        Notice.status == NoticeStatus.LISTED.value,
        Letter.notice_id.is_(None),
    )
    return wanted.order_by(Segment.language, Notice.segment_id, Notice.id).limit(most)


def _one(session: Session, office: Office, campaign: Campaign, row: Any, texts: dict[int, Text], reference: str) -> Waiting:
    if row.segment_id not in texts:
        texts[row.segment_id] = rendered(office, campaign, session.get_one(Segment, row.segment_id), Way.LETTER)
    text, language = texts[row.segment_id], Language(row.language)
    record = json.loads(office.vault.open(row.sealed_record, RECORD))
    kinds = tuple(map(Category, record["categories"]))
    who = Particulars(record["key"], record["name"], record["name_zh"], kinds, record.get("clinic", ""))
    values = office.texts.values(who, language, reference)
    lines = lines_of(values["name"], office.vault.open(row.sealed_value, CONTACT))
    text.substitutions(values)
    return Waiting(row.id, text.digest, row.language, who.clinic, text.sheet(values, lines, number_of(row.id)))
