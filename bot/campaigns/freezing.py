"""Freezing an audience into obligations: in batches of short transactions, and again from the start after a crash."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from bot.base.database import Database
from bot.base.vault import Vault
from bot.campaigns.audience import Candidate, candidates
from bot.campaigns.models import CATEGORIES, Campaign, Obligation, ObligationStatus, Segment
from bot.campaigns.plan import Plan, plan_of

Progress = Callable[[int], None]
WAVE_BATCH = 500


@dataclass
class Frozen:
    """What freezing found: how many people, and the digest of who they are and how each is reached."""

    population: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    segments: dict[tuple[Any, ...], int] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)


def forget(session: Session, campaign_id: int) -> None:
    """Forget whom a draft had frozen."""
    session.execute(delete(Obligation).where(Obligation.campaign_id == campaign_id))
    session.execute(delete(Segment).where(Segment.campaign_id == campaign_id))


def freeze(database: Database, vault: Vault, campaign: Campaign, progress: Progress = lambda _: None) -> Frozen:
    """Write an obligation for everybody of the audience; the campaign must be a draft, and one caller does it at a time."""
    with database.writing() as session:
        forget(session, campaign.id)
    plan, frozen = plan_of(campaign.plan), Frozen()
    with database.reading() as reader:
        for batch in candidates(reader, vault, plan, campaign.notice, campaign.version):
            _store(database, vault, campaign, batch, frozen, last_wave=len(plan.waves) + 1)
            progress(frozen.population)
    with database.writing() as session:
        for segment_id, people in frozen.people.items():
            session.execute(update(Segment).where(Segment.id == segment_id).values(people=people))
    _into_waves(database, campaign.id, plan)
    return frozen


def recipients_digest(database: Database, campaign_id: int) -> str:
    """The digest of the frozen people as they stand in the database."""
    digest = hashlib.sha256()
    columns = (Obligation.person_id, Obligation.ladder, Obligation.because, Segment.language, Segment.variant)
    frozen = select(*columns).outerjoin(Segment, Segment.id == Obligation.segment_id).where(Obligation.campaign_id == campaign_id)
    with database.reading() as session:
        for row in session.execute(frozen.order_by(Obligation.person_id).execution_options(yield_per=2000)):
            digest.update(_line(*row))
    return digest.hexdigest()


def _line(person_id: int, ladder: str, because: str, language: str | None, variant: str | None) -> bytes:
    return f"{person_id}|{ladder}|{because}|{language or ''}|{variant or ''}\n".encode()


def _store(
    database: Database, vault: Vault, campaign: Campaign, batch: list[Candidate], frozen: Frozen, *, last_wave: int
) -> None:
    with database.writing() as session:
        rows = []
        for one in batch:
            segment = None
            if one.because is None:
                key = (one.language, one.variant, one.categories)
                if key not in frozen.segments:
                    sealed = vault.seal(",".join(one.categories), CATEGORIES)
                    made = Segment(
                        campaign_id=campaign.id, language=one.language, variant=one.variant.value, sealed_categories=sealed
                    )
                    session.add(made)
                    session.flush()
                    frozen.segments[key] = made.id
                segment = frozen.segments[key]
                frozen.people[segment] = frozen.people.get(segment, 0) + 1
            because = one.because.value if one.because else ""
            status = ObligationStatus.MANUAL if because else ObligationStatus.PLANNED
            rows.append(
                {
                    "campaign_id": campaign.id,
                    "person_id": one.person_id,
                    "notice": campaign.notice,
                    "version": campaign.version,
                    "segment_id": segment,
                    "status": status.value,
                    "because": because,
                    "wave": 0 if because else last_wave,
                    "ladder": one.written,
                    "rung": 0,
                }
            )
            tongue = (one.language, one.variant.value) if segment else (None, None)
            frozen.digest.update(_line(one.person_id, one.written, because, *tongue))
        if rows:
            session.execute(insert(Obligation), rows)
        frozen.population += len(rows)


def _into_waves(database: Database, campaign_id: int, plan: Plan) -> None:
    """Draw who is in which wave: the first ones are a sample of everybody, and the same again for the same campaign."""
    planned = select(Obligation.id).where(
        Obligation.campaign_id == campaign_id, Obligation.status == ObligationStatus.PLANNED.value
    )
    with database.reading() as session:
        ids = list(session.scalars(planned.order_by(Obligation.id)))
    if sum(plan.waves) < len(ids):
        chosen = random.Random(campaign_id).sample(ids, sum(plan.waves))  # noqa: S311 - a sample, no secret
    else:
        random.Random(campaign_id).shuffle(chosen := ids)  # noqa: S311
    start = 0
    for wave, size in enumerate(plan.waves, start=1):
        members = chosen[start : start + size]
        start += size
        with database.writing() as session:
            for at in range(0, len(members), WAVE_BATCH):
                mine = Obligation.id.in_(members[at : at + WAVE_BATCH])
                session.execute(update(Obligation).where(mine).values(wave=wave))
