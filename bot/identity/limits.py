"""How many codes may be asked for and how many guesses made: by whom it is, where from and what for.

What the patient is told depends only on what anybody could count: the thread, the network address, what was typed, the whole
system. How often one destination was written to is counted too and never told: there a code is silently not sent.
Wrong guesses bind to the thread and the network address alone, so that a stranger locks nobody out. Nor can a stranger use up
a patient's codes: from one network address come three a day for what was typed, and the last of each day is kept for whoever
writes from the very address on file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.identity.models import Check, CodeDispatch, DispatchKind

ONE_AT_A_TIME = 0x0CA4D2
"""The advisory lock under which codes are counted and laid down."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """So many per hour and day; what is not here is in the flow itself."""

    subject: tuple[int, int] = (3, 5)
    subject_from_network: tuple[int, int] = (3, 3)
    destination: tuple[int, int] = (3, 5)
    kept: int = 1
    """Of a day's codes for a subject or destination, those that only go out for a line with the address on file."""
    thread: tuple[int, int] = (5, 10)
    network: tuple[int, int] = (40, 150)
    system_day: int = 5000
    """Codes that really leave, all together: what is sent costs money."""
    thread_wrong_day: int = 20
    network_wrong_day: int = 150
    countries: frozenset[str] = frozenset({"852", "853", "86"})
    """Country codes that numbers may have to which codes are sent."""

    def for_strangers(self, most: tuple[int, int], *, own: bool) -> tuple[int, int]:
        """What is left of a limit for a line that is not the address on file."""
        return most if own else (most[0], most[1] - self.kept)


def reached(
    session: Session, limits: Limits, *, thread_id: int, network: str | None, subject: str, at: datetime, own: bool = False
) -> str | None:
    """Which limit keeps a code from being asked for, if any; the same statements in every case.

    `own` says that the line has the address on file to which the code goes.

    From here to the end of the transaction nobody else asks for a code: a hundred at once are counted one after the other.
    """
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
    counted = (
        ("thread", CodeDispatch.thread_id == thread_id, limits.thread),
        ("network", CodeDispatch.network == (network or ""), limits.network),
        ("subject", CodeDispatch.subject == subject, limits.for_strangers(limits.subject, own=own)),
        (
            "subject from here",
            (CodeDispatch.subject == subject) & (CodeDispatch.network == (network or "")),
            limits.subject_from_network,
        ),
    )
    found = [name for name, where, most in counted if _is_full(_times(session, where, most[1], at), most, at)]
    sent = select(func.count()).where(CodeDispatch.contact_point_id.is_not(None), CodeDispatch.created_at > at - DAY)
    if (session.scalar(sent) or 0) >= limits.system_day:
        found.append("system")
    return found[0] if found else None


def destination_full(session: Session, limits: Limits, destination: str, at: datetime, *, own: bool = False) -> bool:
    """Whether an address was written to as often as may be; never told."""
    most = limits.for_strangers(limits.destination, own=own)
    return _is_full(_times(session, CodeDispatch.destination == destination, most[1], at), most, at)


def guessed_too_much(session: Session, limits: Limits, *, thread_id: int, network: str | None, at: datetime) -> bool:
    """Whether so many wrong codes came on this thread or from this network address that no check may begin or go on."""
    since = Check.started_at > at - DAY
    by_thread = session.scalar(select(func.sum(Check.wrong)).where(Check.thread_id == thread_id, since)) or 0
    by_network = session.scalar(select(func.sum(Check.wrong)).where(Check.network == (network or ""), since)) or 0
    return by_thread >= limits.thread_wrong_day or by_network >= limits.network_wrong_day


def _times(session: Session, where: ColumnElement[bool], most: int, at: datetime) -> Sequence[datetime]:
    rows = select(CodeDispatch.created_at).where(
        where, CodeDispatch.kind == DispatchKind.CODE.value, CodeDispatch.created_at > at - DAY
    )
    return session.scalars(rows.order_by(CodeDispatch.created_at.desc()).limit(most)).all()


def _is_full(times: Sequence[datetime], most: tuple[int, int], at: datetime) -> bool:
    per_hour, per_day = most
    return len(times) >= per_day or sum(moment > at - HOUR for moment in times) >= per_hour
