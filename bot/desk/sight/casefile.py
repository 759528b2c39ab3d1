"""Everything a responder sees of one case: its lines with what is private hidden, its clocks, and who else looks.

Nothing medical stands here by default: what the patient typed is masked, and only a single line can be revealed, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from unicodedata import category

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.channels.windows import MARGIN, WINDOWS
from bot.conversations.models import Reply, Thread, Turn
from bot.conversations.post.models import Part
from bot.conversations.reading import guard
from bot.conversations.reading.private import TOKENS
from bot.conversations.transcript import REPLY_TEXT, TURN_TEXT
from bot.desk.models import Case, CaseReason
from bot.desk.records import CasePresence, StaffReply, StaffReplyStatus
from bot.desk.sight.searching import LEAST_REASON, MOST_REASON
from bot.desk.staff import throttle
from bot.desk.trail import log
from bot.desk.work.persons import threads_of

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
LINES = 40
"""How many of a thread's lines are shown at once."""


@dataclass(frozen=True)
class LineOfThread:
    """A patient's line on a channel, as a responder has to know it."""

    id: int
    channel: str
    language: str
    language_chosen: bool
    owner: str
    opted_out_at: datetime | None
    heard_at: datetime | None  # when the patient last wrote
    window_until: datetime | None  # until when the channel takes a free text; None where it always does
    last_number: int
    last_turn: int
    is_open: bool  # whether the channel takes a free text now


@dataclass(frozen=True)
class Delivery:
    """What became of a reply on its way."""

    status: str
    reason: str = ""


@dataclass(frozen=True, repr=False)
class Entry:
    """One line of the transcript, masked."""

    thread_id: int
    number: int
    author: str  # "patient", or the owner who replied
    text: str
    hides: bool  # whether something in it is hidden
    language: str | None
    at: datetime
    topic: str | None = None
    confidence: float | None = None
    attached: str | None = None
    pressed: bool = False
    staff_id: int | None = None
    says: tuple[str, ...] = ()  # names of the approved texts
    publication_id: int | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Casefile:
    """A case with the lines its patient writes on, what was said, and why a person is needed."""

    case: Case
    threads: Sequence[LineOfThread]
    entries: Sequence[Entry]
    is_whole: bool  # nothing lies before the first entry
    reasons: Sequence[CaseReason]
    topics: Sequence[tuple[str, datetime]] = field(default_factory=tuple)


def casefile(
    session: Session, vault: Vault, case_id: int, at: datetime, *, official: frozenset[str] = frozenset(), lines: int = LINES
) -> Casefile:
    """The case and its newest lines, up to so many a thread; raises sqlalchemy's NoResultFound for a number that is no case."""
    case = session.scalars(select(Case).where(Case.id == case_id)).one()
    threads = [_line(session, thread, at) for thread in threads_of(session, case)]
    entries: list[Entry] = []
    for thread in threads:
        after = thread.last_number - lines
        entries += [*_turns(session, vault, thread.id, after, official), *_replies(session, vault, thread.id, after)]
    entries.sort(key=lambda entry: (entry.at, entry.thread_id, entry.number))
    own = select(Case.id).where((Case.id == case.id) | (Case.merged_into == case.id))
    reasons = session.scalars(select(CaseReason).where(CaseReason.case_id.in_(own)).order_by(CaseReason.at, CaseReason.id)).all()
    is_whole = all(thread.last_number <= lines for thread in threads)
    return Casefile(case, threads, entries, is_whole, reasons, _topics(session, [thread.id for thread in threads]))


def case_with(session: Session, case_id: int) -> Case:
    """The case with this id; raises sqlalchemy's NoResultFound for one that is none."""
    return session.get_one(Case, case_id)


def revealed(
    session: Session,
    vault: Vault,
    case_id: int,
    thread_id: int,
    number: int,
    *,
    reason: str,
    staff_id: int,
    at: datetime,
) -> str:
    """A line as it was written, with nothing hidden; counted against a limit and put into the log with its reason.

    Raises BadInput without a reason or when the case has no such line, TooMany when asked too often.
    """
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise BadInput(f"Say why you have to read this, in {LEAST_REASON} to {MOST_REASON} characters.")
    entry = f"staff:{staff_id}"
    throttle.check(session, throttle.REVEAL, entry, at)
    throttle.count(session, throttle.REVEAL, entry, at)
    case = case_with(session, case_id)
    words = _words(session, vault, thread_id, number) if thread_id in {one.id for one in threads_of(session, case)} else None
    if words is None:
        raise BadInput("There is no such line.")
    log(session, vault, case, "revealed", staff_id=staff_id, at=at, thread=thread_id, number=number, reason=reason.strip())
    return words


def _words(session: Session, vault: Vault, thread_id: int, number: int) -> str | None:
    turn = session.scalars(select(Turn).where(Turn.thread_id == thread_id, Turn.number == number)).first()
    if turn is not None:
        return vault.open(turn.sealed_text, TURN_TEXT) if turn.sealed_text else ""
    reply = session.scalars(select(Reply).where(Reply.thread_id == thread_id, Reply.number == number)).first()
    return vault.open(reply.sealed_text, REPLY_TEXT) if reply is not None else None


def fingerprint(session: Session, case_id: int, at: datetime) -> str:
    """A short text that differs after any change to what the page of a case shows, and when somebody comes, goes or types."""
    case = session.get(Case, case_id)
    if case is None:
        return "none"
    ids = [thread.id for thread in threads_of(session, case)]
    lines = session.scalar(select(func.coalesce(func.sum(Thread.last_number), 0)).where(Thread.id.in_(ids)))
    owners = session.scalars(select(Thread.owner).where(Thread.id.in_(ids)).order_by(Thread.id))
    settled = session.execute(
        select(func.count(), func.max(Part.settled_at), func.max(Part.submitted_at)).where(Part.thread_id.in_(ids))
    ).one()
    pending = select(func.count()).where(StaffReply.case_id == case_id, StaffReply.status == StaffReplyStatus.PENDING.value)
    here = select(CasePresence).where(CasePresence.case_id == case_id, CasePresence.until > at).order_by(CasePresence.staff_id)
    who = [f"{one.staff_id}{'t' if one.typing_until and one.typing_until > at else ''}" for one in session.scalars(here)]
    parts = (case.version, lines, "".join(owner[0] for owner in owners), *settled, session.scalar(pending), ".".join(who))
    return "/".join(str(part) for part in parts)


def _line(session: Session, thread: Thread, at: datetime) -> LineOfThread:
    heard, last_turn = session.execute(
        select(func.max(Turn.received_at), func.max(Turn.number)).where(Turn.thread_id == thread.id)
    ).one()
    window = WINDOWS.get(thread.channel)
    until = heard + window - MARGIN if window and heard else None
    return LineOfThread(
        id=thread.id,
        channel=thread.channel,
        language=thread.language,
        language_chosen=thread.language_chosen,
        owner=thread.owner,
        opted_out_at=thread.opted_out_at,
        heard_at=heard,
        window_until=until,
        last_number=thread.last_number,
        last_turn=last_turn or 0,
        is_open=window is None or (until is not None and at < until),
    )


def _turns(session: Session, vault: Vault, thread_id: int, after: int, official: frozenset[str]) -> list[Entry]:
    wanted = select(Turn).where(Turn.thread_id == thread_id, Turn.number > after).order_by(Turn.number)
    found = []
    for turn in session.scalars(wanted):
        words = vault.open(turn.sealed_text, TURN_TEXT) if turn.sealed_text else ""
        shown = _masked(words, official)
        found.append(
            Entry(
                thread_id,
                turn.number,
                "patient",
                shown,
                _hides(shown),
                turn.language,
                turn.received_at,
                topic=turn.topic,
                confidence=turn.confidence,
                attached=turn.attached,
                pressed=turn.choice is not None,
            )
        )
    return found


def _replies(session: Session, vault: Vault, thread_id: int, after: int) -> list[Entry]:
    wanted = select(Reply).where(Reply.thread_id == thread_id, Reply.number > after).order_by(Reply.number)
    replies = session.scalars(wanted).all()
    ids = [reply.id for reply in replies]
    by_whom = select(StaffReply.reply_id, StaffReply.staff_id).where(StaffReply.reply_id.in_(ids))
    written = {row[0]: row[1] for row in session.execute(by_whom)}
    sent: dict[int, list[Delivery]] = {}
    for part in session.scalars(select(Part).where(Part.reply_id.in_(ids)).order_by(Part.reply_id, Part.place)):
        sent.setdefault(part.reply_id, []).append(Delivery(part.status, part.reason))
    found = []
    for reply in replies:
        # Approved texts, and words that were checked before they left: nothing in them is hidden, the case's number least.
        shown = vault.open(reply.sealed_text, REPLY_TEXT)
        found.append(
            Entry(
                thread_id,
                reply.number,
                reply.author,
                shown,
                False,
                reply.language,
                reply.created_at,
                staff_id=written.get(reply.id),
                says=tuple(reply.say),
                publication_id=reply.publication_id,
                deliveries=tuple(dict.fromkeys(sent.get(reply.id, ()))),
            )
        )
    return found


def _masked(words: str, official: frozenset[str]) -> str:
    """As it was written where nothing is to be hidden and every character can be seen; else in the plain form that was judged."""
    shown = guard.mask(words, official=official)
    return shown if _hides(shown) or any(category(char) in _UNSEEN and char not in "\n\t" for char in words) else words


def _hides(shown: str) -> bool:
    return any(token in shown for token in TOKENS.values())


def _topics(session: Session, thread_ids: Sequence[int]) -> list[tuple[str, datetime]]:
    asked = select(Turn.topic, func.max(Turn.received_at)).where(Turn.thread_id.in_(thread_ids), Turn.topic.is_not(None))
    rows = session.execute(asked.group_by(Turn.topic)).all()
    return sorted(((str(topic), at) for topic, at in rows), key=lambda one: one[1])
