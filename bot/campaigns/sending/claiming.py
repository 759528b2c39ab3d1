"""Taking notices up: committed as being submitted before a provider is called, as far as pace, caps and hours allow."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.lifecycle import moving
from bot.campaigns import pace
from bot.campaigns.audience import Because
from bot.campaigns.models import (
    OPEN,
    Campaign,
    CampaignStatus,
    Notice,
    NoticeStatus,
    Obligation,
)
from bot.campaigns.office import Office
from bot.campaigns.pace import SenderPace
from bot.campaigns.plan import Plan, plan_of
from bot.campaigns.sending import withholding
from bot.campaigns.sending.press import Press
from bot.campaigns.sending.printed import references_of
from bot.campaigns.texts import Text, Values
from bot.channels.segments import segments
from bot.patients.finding import Particulars
from bot.patients.models import CONTACT, RECORD, Category, ContactPoint, Person, Way

REQUEST = 100
"""People in one e-mail request: what a single time-out leaves in doubt."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One notice that is to be handed over now; `body` is the text as the person reads it, but for e-mails."""

    notice_id: int
    obligation_id: int
    person_id: int
    campaign_id: int
    channel: Way
    reference: str
    tries: int
    address: str = field(repr=False)
    text: Text = field(repr=False)
    values: Values = field(repr=False)
    put: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What stands in an e-mail instead of tokens."""
    body: str = field(default="", repr=False)


@dataclass
class Limits:
    """What may still leave."""

    messages: int
    micros: float
    parts: float


def claim(session: Session, office: Office, press: Press, campaign_id: int, channel: Way, most: int, at: datetime) -> list[Taken]:
    """Commit up to `most` notices of a running campaign as being submitted; e-mails are of one segment."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
    if campaign.status != CampaignStatus.RUNNING or not office.is_live:
        return []
    plan = plan_of(campaign.plan)
    if plan.quiet_end(channel, at) is not None:
        return []
    limits = _limits(session, campaign, plan, most, at)
    bucket = pace.opened(session, office.sender(channel.value), plan.per_second[channel], at)
    most = min(most, limits.messages, _new_people(session, plan, at) if channel is Way.WHATSAPP else most)
    if channel is Way.EMAIL:
        most = min(most, int(bucket.left))
    if channel is Way.SMS:
        limits.parts = min(limits.parts, pace.room(session, plan.per_second[channel], at))
    if most <= 0 or bucket.left <= 0 or limits.parts <= 0:
        return []
    rows = _rows(session, campaign, channel, most, at)
    held = withholding.sort_out(session, office, rows, channel, at)
    kept = [row for row in rows if row.id not in held]
    taken = _made(session, office, press, campaign, channel, kept, most, at)
    fitting = _fitting(campaign, plan, taken, limits, bucket)
    _commit(session, office, fitting, at)
    return [one for one, _ in fitting]


def requests(taken: Sequence[Taken]) -> list[list[Taken]]:
    """E-mails of one segment in requests of at most a hundred, no address twice in any of them (SendGrid refuses that)."""
    made: list[tuple[set[str], list[Taken]]] = []
    for one in taken:
        address = one.address.casefold()
        fits = next((each for each in made if len(each[1]) < REQUEST and address not in each[0]), None)
        if fits is None:
            made.append(fits := (set(), []))
        fits[0].add(address)
        fits[1].append(one)
    return [request for _, request in made]


def _limits(session: Session, campaign: Campaign, plan: Plan, most: int, at: datetime) -> Limits:
    caps = plan.caps
    if caps.messages is not None:
        most = min(most, caps.messages - campaign.messages)
    if caps.per_hour is not None:
        lately = (
            select(func.count())
            .select_from(Notice)
            .where(Notice.campaign_id == campaign.id, Notice.submitted_at > at - timedelta(hours=1))
        )
        most = min(most, caps.per_hour - (session.scalar(lately) or 0))
    parts = caps.segments - campaign.segments if caps.segments is not None else float("inf")
    micros = caps.cost * 1_000_000 - campaign.cost_micros if caps.cost is not None else float("inf")
    return Limits(max(0, most), micros, parts)


def _new_people(session: Session, plan: Plan, at: datetime) -> int:
    """How many more may be written to first on WhatsApp, of all campaigns together."""
    day = select(func.count(Notice.contact_point_id.distinct())).where(
        Notice.channel == Way.WHATSAPP.value, Notice.submitted_at > at - timedelta(hours=24)
    )
    return plan.whatsapp_per_day - (session.scalar(day) or 0)


_COLUMNS = (
    *(Notice.id, Notice.obligation_id, Notice.person_id, Notice.reference, Notice.tries, Notice.segment_id),
    *(Obligation.status.label("owed"), Obligation.sealed_reference, Person.sealed_record, Person.deceased, Person.protected),
    *(ContactPoint.sealed_value, ContactPoint.entry, ContactPoint.retired_because, ContactPoint.person_id.label("reader_id")),
)


def _rows(session: Session, campaign: Campaign, channel: Way, most: int, at: datetime) -> Sequence[Any]:
    # The moment stands in a call so that the index in the order of segments is read and nothing sorted: nearly all are due.
    due = (Notice.campaign_id == campaign.id, Notice.channel == channel.value, func.coalesce(Notice.due_at, at) <= at)
    planned = (*due, OPEN, Notice.status == NoticeStatus.PLANNED.value)
    wanted = select(*_COLUMNS).where(*planned)
    if channel is Way.EMAIL:
        first = session.scalar(select(Notice.segment_id).where(*planned).order_by(Notice.segment_id).limit(1))
        wanted = wanted.where(Notice.segment_id == first)
    joined = wanted.join(Obligation, Obligation.id == Notice.obligation_id).join(Person, Person.id == Notice.person_id)
    joined = joined.join(ContactPoint, ContactPoint.id == Notice.contact_point_id)
    return session.execute(
        joined.order_by(Notice.segment_id, Notice.id).limit(most).with_for_update(skip_locked=True, of=Notice)
    ).all()


def _made(
    session: Session, office: Office, press: Press, campaign: Campaign, channel: Way, rows: Sequence[Any], most: int, at: datetime
) -> list[Taken]:
    printed = references_of(session, office, rows, at)
    seen: Counter[str] = Counter()
    taken = []
    for row in rows:
        address = office.vault.open(row.sealed_value, CONTACT)
        if seen[address.casefold()] * REQUEST >= most:
            continue  # an address stands in a request once: the others wait for another one
        text = press.text(session, campaign, row.segment_id, channel)
        if channel is Way.WHATSAPP and not text.content_id:
            withholding.skip(session, office, row, withholding.NO_TEMPLATE, at)
            continue
        who, language = particulars_of(office, row.sealed_record), press.language(row.segment_id)
        try:
            values = office.texts.values(who, language, printed[row.obligation_id])
            put = text.substitutions(values)
            body = "" if channel is Way.EMAIL else text.filled(values)
        except BadInput as missing:  # one person's record must not keep the others waiting
            withholding.leave(session, office, row, Because.UNWRITABLE, str(missing), at)
            continue
        if channel is Way.EMAIL:
            seen[address.casefold()] += 1
        ids = (row.id, row.obligation_id, row.person_id, campaign.id)
        taken.append(Taken(*ids, channel, row.reference, row.tries + 1, address, text, values, put, body))
    return taken


def particulars_of(office: Office, sealed: str) -> Particulars:
    """A person's sealed record, opened."""
    record = json.loads(office.vault.open(sealed, RECORD))
    return Particulars(record["key"], record["name"], record["name_zh"], tuple(map(Category, record["categories"])))


def _fitting(campaign: Campaign, plan: Plan, taken: list[Taken], limits: Limits, bucket: SenderPace) -> list[tuple[Taken, int]]:
    """As many of them as pace and caps allow, each with its SMS segments; what they take is written off."""
    fitting = []
    for one in taken:
        parts = segments(one.body).count if one.channel is Way.SMS else 0
        price = plan.price_micros(one.channel, parts)
        if bucket.left <= 0 or parts > limits.parts or price > limits.micros:
            break
        bucket.left -= max(parts, 1)
        limits.parts -= parts
        limits.micros -= price
        campaign.messages += 1
        campaign.segments += parts
        campaign.cost_micros += price
        fitting.append((one, parts))
    return fitting


def _commit(session: Session, office: Office, fitting: list[tuple[Taken, int]], at: datetime) -> None:
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for one, parts in fitting:
        groups[parts, one.text.digest].append(one.notice_id)
    begun = {
        "holder": office.holder,
        "lease_until": at + timedelta(seconds=office.lease_s),
        "submitted_at": at,
        "tries": Notice.tries + 1,
    }
    for (parts, digest), ids in groups.items():
        taken = moving(Notice, NoticeStatus.SUBMITTING).where(Notice.id.in_(ids))
        session.execute(taken.values(**begun, parts=parts, text_digest=digest).execution_options(synchronize_session=False))
