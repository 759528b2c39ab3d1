"""Hooks stored as they come, and turned into turns and evidence afterwards.

Storing is all that a provider waits for. Everything else happens from the rows, in the order they were
stored, each in one step with its mark: a crash at any moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import Channel, DeliveryEvent, HookKind, Incoming, Kept, of_hook
from bot.conversations.post import arrivals, floods, receipts
from bot.conversations.post.models import HookDelivery, HookStatus

log = logging.getLogger(__name__)

CONTENT = "hook_deliveries.content"
TRIES = 5
BATCH = 25
EVENTS = 200
"""How many are applied in one step when all of them only report what was delivered: they take far less than a turn."""


STORED = HookDelivery.status == literal_column("'stored'")
"""In the words of the index of stored hooks: SQLite uses it for nothing else, and would read all there ever were."""


Notices = Callable[[Session, DeliveryEvent, str, datetime], str]
Many = Callable[[Session, Sequence[tuple[DeliveryEvent, str]], datetime], list[str]]


@dataclass(frozen=True)
class Desk:
    """What reading a hook needs."""

    channels: Mapping[str, Channel]
    vault: Vault
    index: BlindIndex
    templates: Mapping[str, str] = field(default_factory=dict)
    """Approved WhatsApp texts by language."""
    limits: floods.Limits = field(default_factory=floods.Limits)
    is_urgent: Callable[[str], bool] = lambda _: False
    """Whether a text must be read at once, however many come."""
    notices: Notices = lambda session, event, channel, at: receipts.UNKNOWN
    """Applies an event to a notice of a campaign; says why nothing was done, or nothing."""
    many: Many | None = None
    """The same for many events at once, in their order."""
    mark: str = ""
    """How the references of notices begin, and of nothing else; empty when nobody knows."""
    heard: Callable[[Session, DeliveryEvent, str, datetime], bool] = lambda _session, _event, _channel, _at: False
    """Asked about evidence that is of no part of the outbox: whether it was about something else that is sent."""


@dataclass(frozen=True)
class Parsed:
    """What stands in one hook."""

    turns: tuple[tuple[Incoming, bool], ...] = ()  # with whether it is urgent
    events: tuple[tuple[DeliveryEvent, str], ...] = ()  # with the channel


@dataclass(frozen=True)
class Applied:
    """What a round of reading did."""

    number: int
    touched: frozenset[int]
    """Threads that have a new turn."""
    overrun: frozenset[int]
    """Threads on which more came than a person writes, and was not stored as turns."""


def sealed(vault: Vault, arrived: Sequence[tuple[HookKind, Kept]], at: datetime) -> list[dict[str, Any]]:
    """Hooks as rows, ready to be stored."""
    return [
        {
            "kind": kind.value,
            "provider_id": kept.provider_id[:80],
            "sealed_content": vault.seal(json.dumps(dict(kept.content), ensure_ascii=True), CONTENT),
            "status": HookStatus.STORED.value,
            "remark": "",
            "attempts": 0,
            "received_at": at,
        }
        for kind, kept in arrived
    ]


def store(session: Session, vault: Vault, arrived: Sequence[tuple[HookKind, Kept]], at: datetime) -> int:
    """Seal and keep hooks, each once by its id; returns how many were new."""
    return keep(session, sealed(vault, arrived, at))


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Keep sealed hooks, each once by its id; returns how many were new."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(HookDelivery).on_conflict_do_nothing(index_elements=["kind", "provider_id"]).returning(HookDelivery.id)
    return sum(session.execute(statement, [row]).first() is not None for row in rows)


def waiting(session: Session) -> bool:
    """Whether a stored hook waits to be applied."""
    return session.scalars(select(HookDelivery.id).where(STORED).limit(1)).first() is not None


def look(session: Session, desk: Desk) -> dict[int, Parsed]:
    """What stands in the oldest stored hooks: read before a transaction is open, since hostile ones may take their time.

    One that cannot be read is left out: `apply` tells of it.
    """
    found: dict[int, Parsed] = {}
    for row in session.scalars(_oldest(session)):
        with suppress(Exception):
            found[row.id] = _parsed(desk, row)
    return found


def apply(session: Session, desk: Desk, at: datetime, seen: Mapping[int, Parsed] | None = None) -> Applied:
    """Apply the oldest stored hooks, of those that were looked at what was seen in them.

    One that cannot be read stops no other: it is tried again a few times, then set aside.
    """
    rows = session.scalars(_oldest(session).with_for_update(skip_locked=True)).all()
    parsed = dict(seen or {})
    touched: set[int] = set()
    overrun: set[int] = set()
    done = _together(session, desk, rows, parsed, at)
    for row in rows:
        if row.id in done:
            continue
        row.attempts += 1
        session.flush()
        try:
            with session.begin_nested():
                found = _read(session, desk, row, parsed.get(row.id) or _parsed(desk, row), at)
                row.remark = found.remark
                move(row, found.status)
                row.applied_at = at if found.status is not HookStatus.HELD else None
            touched |= found.threads
            overrun |= found.overrun
        except Exception as broken:  # whatever a provider sends, the others must be read
            session.refresh(row)
            log.error("hook delivery %d could not be applied: %s", row.id, type(broken).__name__)
            if row.attempts >= TRIES:
                row.remark = type(broken).__name__[:40]
                move(row, HookStatus.BROKEN)
    return Applied(len(rows), frozenset(touched), frozenset(overrun))


def _oldest(session: Session) -> Select[HookDelivery]:
    """Those that are next; their contents may be large, so no more are loaded than are read."""
    stored = select(HookDelivery.id, HookDelivery.kind).where(STORED)
    next_ones = session.execute(stored.order_by(HookDelivery.id).limit(EVENTS)).all()
    most = BATCH if any(HookKind(kind) in arrivals.KINDS for _, kind in next_ones) else EVENTS
    still = HookDelivery.id.in_([one for one, _ in next_ones[:most]]) & (HookDelivery.status == HookStatus.STORED.value)
    return select(HookDelivery).where(still).order_by(HookDelivery.id)


def _parsed(desk: Desk, row: HookDelivery) -> Parsed:
    content: dict[str, str] = json.loads(desk.vault.open(row.sealed_content, CONTENT))
    kind = HookKind(row.kind)
    heard = of_hook(desk.channels, kind)
    if kind in arrivals.KINDS:
        arrived = [incoming for channel in heard for incoming in channel.parse_incoming(content)]
        return Parsed(turns=tuple((one, desk.is_urgent(one.text)) for one in arrived))
    return Parsed(events=tuple((event, channel.name) for channel in heard for event in channel.parse_events(content)))


def _together(session: Session, desk: Desk, rows: Sequence[HookDelivery], parsed: Mapping[int, Parsed], at: datetime) -> set[int]:
    """Apply the hooks that only tell of notices, in one go; returns which. When anything in them stumbles, each is read alone."""
    if desk.many is None or not desk.mark:
        return set()
    try:
        with session.begin_nested():
            read = {row.id: told for row in rows if (told := _of_notices(desk, row, parsed.get(row.id)))}
            remarks = iter(desk.many(session, [one for told in read.values() for one in told], at)) if read else iter(())
            done: set[int] = set()
            for row in rows:
                known = [next(remarks) for _ in read.get(row.id, ())]
                # One that nobody knows may be of something else that is sent: it is read as all others are.
                if known and not any(known):
                    row.attempts += 1
                    row.applied_at = at
                    move(row, HookStatus.APPLIED)
                    done.add(row.id)
            return done
    except Exception as broken:
        log.error("%d hook deliveries could not be applied together: %s", len(rows), type(broken).__name__)
        for row in rows:
            session.refresh(row)
        return set()


def _of_notices(desk: Desk, row: HookDelivery, parsed: Parsed | None) -> Sequence[tuple[DeliveryEvent, str]]:
    """The events of a hook when all of them are of notices; none otherwise."""
    if HookKind(row.kind) in arrivals.KINDS:
        return ()
    try:
        told = (parsed or _parsed(desk, row)).events
    except Exception:  # it is looked at alone, and told of there
        return ()
    return told if all(event.reference.startswith(desk.mark) for event, _ in told) else ()


def counts(session: Session, since: datetime) -> dict[tuple[str, str], int]:
    """How many hooks there are by status and remark: those that wait or are broken, and those ignored since then."""
    kept = or_(HookDelivery.status != HookStatus.IGNORED.value, HookDelivery.received_at >= since)
    shown = select(HookDelivery.status, HookDelivery.remark, func.count()).where(HookDelivery.status.in_(_TROUBLED), kept)
    return {(row[0], row[1]): row[2] for row in session.execute(shown.group_by(HookDelivery.status, HookDelivery.remark))}


_TROUBLED = (HookStatus.STORED.value, HookStatus.HELD.value, HookStatus.IGNORED.value, HookStatus.BROKEN.value)


@dataclass
class _Found:
    """What was in one hook."""

    number: int = 0
    threads: set[int] = field(default_factory=set)
    overrun: set[int] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    held: str = ""

    @property
    def remark(self) -> str:
        """Why nothing was done with it; of a post of many events one that is ours makes it applied."""
        if self.held or not self.number:
            return self.held or "nothing_known"
        return self.remarks[0] if len(self.remarks) == self.number else ""

    @property
    def status(self) -> HookStatus:
        """Where the hook goes."""
        if self.held:
            return HookStatus.HELD
        return HookStatus.IGNORED if self.remark else HookStatus.APPLIED


def _read(session: Session, desk: Desk, row: HookDelivery, parsed: Parsed, at: datetime) -> _Found:
    found = _Found()
    for incoming, is_urgent in parsed.turns:
        _take_in(session, desk, row, incoming, is_urgent, found, at)
    for event, channel in parsed.events:
        found.number += 1
        remark = receipts.apply(session, desk.vault, event, channel, at, desk.templates)
        if remark == receipts.UNKNOWN:
            remark = desk.notices(session, event, channel, at)
        if remark and desk.heard(session, event, channel, at):
            remark = ""
        found.remarks += [remark] if remark else []
    return found


def _take_in(
    session: Session, desk: Desk, row: HookDelivery, incoming: Incoming, is_urgent: bool, found: _Found, at: datetime
) -> None:
    found.number += 1
    if HookKind(row.kind) is HookKind.SENDGRID_INBOUND and not incoming.automatic:
        is_stranger = arrivals.known(session, desk.index, incoming) is None
        row.domain_index = floods.domain_of(desk.index, incoming.their) if is_stranger else None
        held = floods.held_for(session, row.domain_index, desk.limits, at) if row.domain_index else ""
        if held and not is_urgent:
            found.held = held
            return
    thread_id, remark = arrivals.take_in(
        session, desk.vault, desk.index, incoming, received_at=row.received_at, is_urgent=is_urgent
    )
    if remark:
        found.remarks.append(remark)
    if thread_id is not None:
        (found.overrun if remark else found.threads).add(thread_id)
