"""Every notice that one person was sent, in the words in which it was: for a data access request.

The texts are not kept per person: they are rendered again out of what was approved, and compared with the digest under
which each notice left.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import CandourError
from bot.base.languages import Language
from bot.campaigns.models import REFERENCE, Campaign, Notice, NoticeStatus, Obligation, Segment
from bot.campaigns.office import Office
from bot.campaigns.sending.claiming import particulars_of
from bot.campaigns.sending.press import rendered
from bot.patients.models import Person, Way
from bot.patients.notices.received import Received

NEVER_LEFT = frozenset({NoticeStatus.PLANNED, NoticeStatus.WITHHELD, NoticeStatus.CANCELLED, NoticeStatus.REJECTED})


def received(session: Session, office: Office, person_id: int) -> list[Received]:
    """The notices that left for this person, or may have, in order."""
    person = session.get_one(Person, person_id)
    wanted = (
        select(Notice, Obligation, Campaign, Segment)
        .join(Obligation, Obligation.id == Notice.obligation_id)
        .join(Campaign, Campaign.id == Notice.campaign_id)
        .join(Segment, Segment.id == Notice.segment_id)
        .where(Notice.person_id == person_id, Notice.status.not_in([one.value for one in NEVER_LEFT]))
        .order_by(Notice.id)
    )
    return [_one(office, person, *row) for row in session.execute(wanted)]


def _one(office: Office, person: Person, notice: Notice, owed: Obligation, campaign: Campaign, segment: Segment) -> Received:
    subject = text = ""
    is_as_sent = False
    try:
        shared = rendered(office, campaign, segment, Way(notice.channel))
        reference = office.vault.open(owed.sealed_reference, REFERENCE) if owed.sealed_reference else ""
        values = office.texts.values(particulars_of(office, person.sealed_record), Language(segment.language), reference)
        subject, text = shared.subject, shared.filled(values)
        is_as_sent = notice.text_digest == shared.digest
    except CandourError:
        pass  # the template or its facts are gone: that it was sent, and when, is still told
    return Received(
        owed.notice,
        owed.version,
        segment.language,
        notice.channel,
        notice.status,
        notice.submitted_at,
        notice.settled_at,
        subject,
        text,
        is_as_sent,
    )
