"""SendGrid's suppression lists, read back: whom it does not write to any more, and what that says of notices on their way.

Its events tell the same, but one that never came would leave a person waiting for three days. Each list is read from where the
last pass ended, a page at a time; every page is stored with its place, so that after a crash or a 429 it goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base import audit, leases
from bot.base.errors import BadInput, ChannelError, TemporaryFailure
from bot.campaigns import events
from bot.campaigns.models import Campaign, CampaignStatus, Notice, NoticeStatus
from bot.campaigns.office import Office
from bot.campaigns.sending.suppressed import PASSING, Suppression, SuppressionReading
from bot.channels.base import DeliveryEvent, Outcome, Suppressed, Suppressor
from bot.patients.models import ContactPoint, Way

log = logging.getLogger(__name__)

LEASE, LEASE_S = "campaigns.suppressions", 120.0
EVERY = timedelta(minutes=5)
AFTER_TROUBLE = timedelta(minutes=2)
OVERLAP_S = 600
"""Entries this old are read again: one may have been written late."""
PAGES_MOST = 200
"""Pages of one list in one round; the next round goes on."""
LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
GROUPS = "groups"
WHOLE_EVERY = timedelta(hours=3)
"""How often a list is read from its beginning: only so does it show whom SendGrid took off it."""
AT_ONCE = 500
"""Addresses looked up in one statement."""
TAKEN_OFF = (Suppression.entry, Suppression.listed)
NOT_ARRIVED = {
    "bounces": "the mailbox does not take it",
    "blocks": "the mailbox refused it",
    "invalid_emails": "the address is not valid",
}
"""Lists whose entries say that something sent before did not arrive."""


def due(session: Session, at: datetime) -> bool:
    """Whether a list should be read now: not while no campaign is under way."""
    under_way = Campaign.status.in_((CampaignStatus.RUNNING.value, CampaignStatus.PAUSED.value))
    if session.scalar(select(Campaign.id).where(under_way).limit(1)) is None:
        return False
    known = {one.listed: one for one in session.scalars(select(SuppressionReading))}
    return any(known[name].due_at <= at if name in known else True for name in (*LISTS, GROUPS))


def read(office: Office, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Read what is due of all lists and apply it; returns how many entries came, 0 where the channel has no lists."""
    channel = office.channels.get(Way.EMAIL.value)
    if not isinstance(channel, Suppressor):
        return 0
    with office.database.writing() as session:
        if not leases.take(session, name=LEASE, holder=office.holder, at=office.clock(), seconds=LEASE_S):
            return 0
    number = 0
    for name in (*LISTS, GROUPS):
        try:
            number += _groups(office, channel) if name == GROUPS else _list(office, channel, name, may_go_on)
        except ChannelError as failed:
            wait = failed.retry_after_s if isinstance(failed, TemporaryFailure) else 0.0
            _put_off(office, name, max(timedelta(seconds=wait), AFTER_TROUBLE if not wait else timedelta(0)))
            log.warning("SendGrid's list of %s was not read: %s", name, failed.reason)
    return number


def _list(office: Office, channel: Suppressor, name: str, may_go_on: Callable[[], bool]) -> int:
    number = 0
    for _ in range(PAGES_MOST):
        place = _place(office, name)
        if place.due_at > office.clock() or not may_go_on():
            break
        page = channel.suppressed(name, 0 if place.is_whole else place.since, place.skip)
        with office.database.writing() as session:
            kept = session.get_one(SuppressionReading, name, with_for_update=True)
            if (kept.since, kept.skip, kept.is_whole) != (place.since, place.skip, place.is_whole):
                break  # our lease ran out and somebody else reads: their place counts
            _take_in(session, office, name, page, office.clock())
            number += len(page)
            kept.newest = max([kept.newest, *(one.created for one in page)])
            kept.skip += len(page)
            if len(page) < channel.PAGE:
                kept.since, kept.skip = max(kept.since, kept.newest - OVERLAP_S), 0
                kept.due_at = office.clock() + EVERY
                if kept.is_whole:
                    kept.is_whole = False
                    _take_off(session, office, Suppression.listed == name, kept.whole_before_at)
                break
    return number


def _groups(office: Office, channel: Suppressor) -> int:
    """The members of unsubscribe groups: SendGrid tells neither a page nor a time, so that all are read."""
    if _place(office, GROUPS).due_at > office.clock():
        return 0
    number, began = 0, office.clock()
    for group, members in channel.unsubscribed():
        at = office.clock()
        page = [Suppressed(one, int(at.timestamp()), "") for one in members]
        for start in range(0, len(page), channel.PAGE):
            with office.database.writing() as session:
                _take_in(session, office, f"group:{group}"[:20], page[start : start + channel.PAGE], at)
        number += len(page)
    with office.database.writing() as session:
        _take_off(session, office, Suppression.listed.like("group:%"), began)
    _put_off(office, GROUPS, EVERY)
    return number


def _place(office: Office, name: str) -> SuppressionReading:
    with office.database.writing() as session:
        found = session.get(SuppressionReading, name)
        if found is None:
            session.add(found := SuppressionReading(listed=name, since=0, newest=0, skip=0, due_at=office.clock()))
        now, last = office.clock(), found.whole_began_at
        is_new = found.skip == 0 and not found.is_whole and found.due_at <= now and name != GROUPS
        if is_new and (last is None or last + WHOLE_EVERY <= now):
            found.is_whole, found.whole_before_at, found.whole_began_at = True, last, now
        return found


def _put_off(office: Office, name: str, wait: timedelta) -> None:
    _place(office, name)
    with office.database.writing() as session:
        session.get_one(SuppressionReading, name).due_at = office.clock() + wait


def _take_in(session: Session, office: Office, name: str, page: Sequence[Suppressed], at: datetime) -> None:
    found: dict[str, Suppressed] = {}
    for one in page:
        try:
            found.update(dict.fromkeys(office.index.every("email", one.address), one))
        except BadInput:
            continue  # nobody on file can have it
    if not found:
        return
    rows = [
        {"entry": entry, "listed": name, "since": datetime.fromtimestamp(one.created, UTC), "read_at": at}
        for entry, one in found.items()
    ]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    listed = insert(Suppression)
    seen = listed.on_conflict_do_update(index_elements=["entry", "listed"], set_={"read_at": listed.excluded.read_at})
    session.execute(seen, rows)
    _tell(session, office, name, found, at)


def _take_off(session: Session, office: Office, which: ColumnElement[bool], before: datetime | None) -> None:
    """Forget who was not seen on a list since then, and note it with each person: SendGrid writes to them again.

    For a list read by pages that is the beginning of the whole pass before this one: whoever is taken off while it is
    read moves the others, and one of them may slip from one page to the next unseen.
    """
    if before is None:
        return
    gone = session.execute(delete(Suppression).where(which, Suppression.read_at < before).returning(*TAKEN_OFF)).all()
    for start in range(0, len(gone), AT_ONCE):
        lists = {row.entry: row.listed for row in gone[start : start + AT_ONCE]}
        points = select(ContactPoint.person_id, ContactPoint.entry).where(ContactPoint.entry.in_(list(lists)))
        found = sorted({(person, lists[entry]) for person, entry in session.execute(points)})
        entries = [("suppression.lifted", f"person:{person}", {"list": listed}) for person, listed in found]
        audit.record_all(session, at=office.clock(), actor="campaign", entries=entries, vault=office.vault)


def _tell(session: Session, office: Office, name: str, found: dict[str, Suppressed], at: datetime) -> None:
    """Let what is on its way to these addresses fail: at once the next rung begins."""
    on_the_way = (NoticeStatus.ACCEPTED.value, NoticeStatus.UNKNOWN.value)
    waiting = (
        select(Notice.reference, Notice.provider_id, Notice.submitted_at, ContactPoint.entry)
        .join(ContactPoint, ContactPoint.id == Notice.contact_point_id)
        .where(ContactPoint.entry.in_(list(found)), Notice.channel == Way.EMAIL.value, Notice.status.in_(on_the_way))
    )
    told = []
    for reference, provider_id, submitted_at, entry in session.execute(waiting.order_by(Notice.id)):
        one, reason = found[entry], NOT_ARRIVED.get(name, "SendGrid does not write to this address")
        was_before = datetime.fromtimestamp(one.created, UTC) < (submitted_at or at) - timedelta(seconds=1)
        # On the list before: dropped, but for blocks. On it afterwards: it came back, but a complaint shows that it arrived.
        has_failed = not was_before if name == PASSING else was_before or name in NOT_ARRIVED
        if has_failed:
            event = DeliveryEvent(reference, provider_id or "", Outcome.FAILED, (one.code or name)[:20], reason)
            told.append((event, Way.EMAIL.value))
    if told:
        events.apply_all(office, session, told, at)
