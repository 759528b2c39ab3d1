"""Waves of e-mail: what comes from strangers beyond an hour's measure waits, and nothing of it is lost.

A bomb of letters must neither bury the patients' own questions nor make us answer a thousand invented senders. So
strangers are counted, per domain and altogether. Whoever has written before is read at once, and so are words of
danger. What is held is read as soon as there is room: the domain with the fewest first, since a wave has many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.lifecycle import move
from bot.base.settings import Settings
from bot.base.vault import BlindIndex
from bot.conversations.post.models import HookDelivery, HookStatus

FROM_DOMAIN = "flood_domain"
FROM_ALL = "flood"
HOUR = timedelta(hours=1)
PURPOSE = "line"
"""The blind index of addresses; the prefix keeps a domain apart from every line."""


@dataclass(frozen=True)
class Limits:
    """E-mails of strangers that are read in an hour."""

    altogether: int = 2000
    domain: int = 200

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As the operator set them."""
        return cls(settings.limit_letters, settings.limit_letters_domain)


def domain_of(index: BlindIndex, address: str) -> str:
    """The keyed hash of the domain of an address."""
    return index.index(PURPOSE, "domain\n" + address.rpartition("@")[2].strip().casefold())


def held_for(session: Session, domain: str, limits: Limits, at: datetime) -> str:
    """Why a stranger's letter from this domain has to wait, or nothing."""
    if _read(session, at, domain) >= limits.domain:
        return FROM_DOMAIN
    return FROM_ALL if _read(session, at) >= limits.altogether else ""


def release(session: Session, limits: Limits, at: datetime) -> int:
    """Let what was held be read as far as there is room; returns how many."""
    is_held = HookDelivery.status == HookStatus.HELD.value
    number = func.count(HookDelivery.id)
    waves = session.execute(select(HookDelivery.domain_index).where(is_held).group_by(HookDelivery.domain_index).order_by(number))
    domains = [row[0] for row in waves]
    room = limits.altogether - _read(session, at) if domains else 0
    released = 0
    for domain in domains:
        most = min(room - released, limits.domain - _read(session, at, domain))
        if most <= 0:
            continue
        oldest = select(HookDelivery).where(is_held, HookDelivery.domain_index == domain).order_by(HookDelivery.id).limit(most)
        for row in session.scalars(oldest.with_for_update(skip_locked=True)).all():
            move(row, HookStatus.STORED)
            row.attempts = 0
            released += 1
    return released


def _read(session: Session, at: datetime, domain: str | None = None) -> int:
    counted = HookDelivery.domain_index.is_not(None) if domain is None else HookDelivery.domain_index == domain
    read = select(func.count()).where(counted, HookDelivery.applied_at > at - HOUR)
    return session.scalar(read.where(HookDelivery.status == HookStatus.APPLIED.value)) or 0
