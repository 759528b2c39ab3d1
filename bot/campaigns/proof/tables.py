"""A campaign's people and notices as CSV: numbers, states and times, and no address or name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from bot.base.database import Database
from bot.base.text.spreadsheet import line
from bot.campaigns.models import Campaign, CampaignStatus, Notice, Obligation, Segment
from bot.campaigns.paper.models import Letter
from bot.campaigns.proof.log import BITS, Counted

PAGE = 5000
PEOPLE = ("person", "wave", "language", "form", "ways", "state", "because", "settled_at_utc")
NOTICES = (
    *("notice", "person", "language", "form", "channel", "state", "handed_over_at_utc", "settled_at_utc", "tries"),
    *("sms_segments", "text_sha256", "code", "reason", "letter"),
)


@dataclass
class Agreement:
    """Whether the tables and the sealed log say the same."""

    people: Counter[str] = field(default_factory=Counter)
    because: Counter[str] = field(default_factory=Counter)
    notices: Counter[tuple[str, str]] = field(default_factory=Counter)  # channel and state
    texts: Counter[tuple[int, str, str]] = field(default_factory=Counter)  # segment, channel, digest
    not_in_log: int = 0  # handed to a provider, and the log knows nothing of it
    other_text: int = 0  # the log names another text
    ends_not_in_log: int = 0  # people in a state that no entry attests
    gone: int = 0  # in the log, and its row is missing

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not (self.not_in_log or self.other_text or self.gone or self.ends_not_in_log)


def people(database: Database, campaign: Campaign, seen: Agreement, logged: Counted, until: datetime) -> Iterator[str]:
    """Everybody of the campaign, a line each; that the log attests how each was told, up to the moment `until`."""
    yield line(PEOPLE)
    columns = (
        *(Obligation.id, Obligation.person_id, Obligation.wave, Obligation.ladder, Obligation.status, Obligation.because),
        *(Obligation.settled_at, Segment.language, Segment.variant),
    )
    for row in _pages(database, columns, Obligation, campaign.id):
        # Who was left to the team has no moment in the table: while it runs somebody may have been since.
        is_due = row.settled_at < until if row.settled_at else campaign.status != CampaignStatus.RUNNING
        if is_due and row.status in BITS and not logged.ends.get(row.person_id, 0) & BITS[row.status]:
            seen.ends_not_in_log += 1
        seen.people[row.status] += 1
        if row.status == "manual":
            seen.because[row.because] += 1
        ways = " ".join(dict.fromkeys(rung.partition(":")[0] for rung in row.ladder.split()))
        yield line((row.person_id, row.wave, row.language, row.variant, ways, row.status, row.because, _moment(row.settled_at)))


def notices(database: Database, campaign_id: int, seen: Agreement, logged: Counted, until: datetime) -> Iterator[str]:
    """Every notice of the campaign, a line each; compared with what the log says of it up to the moment `until`."""
    yield line(NOTICES)
    columns = (
        *(Notice.id, Notice.person_id, Notice.segment_id, Notice.channel, Notice.status, Notice.submitted_at, Notice.settled_at),
        *(Notice.tries, Notice.parts, Notice.text_digest, Notice.code, Notice.reason, Letter.number),
        *(Segment.language, Segment.variant),
    )
    left = dict(logged.texts)
    for row in _pages(database, columns, Notice, campaign_id):
        seen.notices[row.channel, row.status] += 1
        if row.text_digest:
            seen.texts[row.segment_id, row.channel, row.text_digest] += 1
        _compare(seen, row, left.pop(row.id, None), until)
        times = (_moment(row.submitted_at), _moment(row.settled_at))
        what = (row.id, row.person_id, row.language, row.variant, row.channel, row.status)
        yield line((*what, *times, row.tries, row.parts, row.text_digest, row.code, row.reason, row.number))
    seen.gone = len(left)


def _compare(seen: Agreement, row: Any, text: str | None, until: datetime) -> None:
    if text is not None and text != row.text_digest:
        seen.other_text += 1
    settled = ("accepted", "unknown", "rejected", "delivered", "failed")
    if text is None and row.submitted_at and row.status in settled and (row.settled_at or until) < until:
        seen.not_in_log += 1


def _pages(
    database: Database, columns: tuple[Any, ...], table: type[Obligation] | type[Notice], campaign_id: int
) -> Iterator[Any]:
    last = 0
    while True:
        page = select(*columns).outerjoin(Segment, Segment.id == table.segment_id)
        if table is Notice:
            page = page.outerjoin(Letter, Letter.notice_id == Notice.id)
        page = page.where(table.campaign_id == campaign_id, table.id > last).order_by(table.id).limit(PAGE)
        with database.reading() as session:
            rows = session.execute(page).all()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1].id


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""
