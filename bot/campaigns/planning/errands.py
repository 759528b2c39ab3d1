"""Work on a campaign that takes longer than a page may: asked for by a person, done by a worker, one at a time for a campaign.

A dry run and a submission can both be begun anew: what a worker was doing when it died is done again from the start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, Text, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.errors import BadInput, CandourError, IllegalMove
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.campaigns import life
from bot.campaigns.dryrun import Report, dry_run
from bot.campaigns.models import Campaign, CampaignStatus
from bot.campaigns.office import Office
from bot.campaigns.plan import digest_of, plan_of

log = logging.getLogger(__name__)

REPORT = "campaign_errands.report"
BROKE_OFF = "It broke off for a reason of ours: an operator finds it in the worker's log."
LEASE = timedelta(seconds=60)
STEP = 2000
"""People between two signs of life."""


class ErrandKind(StrEnum):
    """What is to be done."""

    DRY_RUN = "dry_run"  # count and render everything; nothing is stored but the report
    SUBMIT = "submit"  # the same, then freeze the recipients and ask for approval


class ErrandStatus(StrEnum):
    """How far it is."""

    WAITING = "waiting"  # no worker has begun
    RUNNING = "running"  # a worker is at it, until its lease ends
    DONE = "done"  # the report is there
    FAILED = "failed"  # `error` says why


class Errand(Base):
    """One piece of work on a campaign, and the report it made."""

    __tablename__ = "campaign_errands"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default=ErrandStatus.WAITING)
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    people: Mapped[int] = mapped_column(default=0)  # looked at so far
    holder: Mapped[str | None] = mapped_column(String(60))
    lease_until: Mapped[datetime | None]
    plan_digest: Mapped[str] = mapped_column(String(64))  # of the plan it was asked for
    sealed_report: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str] = mapped_column(String(400), default="")
    ended_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        ErrandStatus.WAITING: frozenset({ErrandStatus.RUNNING}),
        ErrandStatus.RUNNING: frozenset({ErrandStatus.WAITING, ErrandStatus.DONE, ErrandStatus.FAILED}),
    }

    __table_args__ = (one_of("kind", ErrandKind), one_of("status", ErrandStatus), {"sqlite_autoincrement": True})


class _Stopping(Exception):
    """The worker was told to stop: the errand waits for the next one."""


def ask(session: Session, campaign: Campaign, kind: ErrandKind, *, by: str, at: datetime) -> Errand:
    """Have something done; raises IllegalMove when the campaign is no draft, BadInput while something is being done."""
    if campaign.status != CampaignStatus.DRAFT:
        raise IllegalMove(f"The campaign is {campaign.status}: only a draft is worked on.")
    if session.scalars(_open(campaign.id)).first() is not None:
        raise BadInput("A dry run or submission is under way: wait until it is through.")
    made = Errand(campaign_id=campaign.id, kind=kind.value, by=by[:60], at=at, plan_digest=digest_of(campaign.plan))
    session.add(made)
    session.flush()
    return made


def is_busy(session: Session, campaign_id: int) -> bool:
    """Whether a worker is at it or will be."""
    return session.scalars(_open(campaign_id)).first() is not None


def last(session: Session, campaign_id: int) -> Errand | None:
    """The latest piece of work on a campaign, whatever came of it."""
    return session.scalars(select(Errand).where(Errand.campaign_id == campaign_id).order_by(Errand.id.desc()).limit(1)).first()


def last_report(session: Session, vault: Vault, campaign: Campaign) -> tuple[Errand, dict[str, Any]] | None:
    """The latest report, and the errand it came of; None when the plan has changed since or there was none."""
    wanted = select(Errand).where(Errand.campaign_id == campaign.id, Errand.sealed_report.is_not(None))
    found = session.scalars(wanted.order_by(Errand.id.desc()).limit(1)).first()
    if found is None or found.sealed_report is None or found.plan_digest != digest_of(campaign.plan):
        return None
    report: dict[str, Any] = json.loads(vault.open(found.sealed_report, REPORT))
    report["finished_at"] = datetime.fromisoformat(report["finished_at"]) if report["finished_at"] else None
    return found, report


def work(office: Office, beat: Callable[[], None] = lambda: None, stopping: Callable[[], bool] = lambda: False) -> int:
    """Do the oldest errand that nobody is at; returns how many were done."""
    taken = _take(office)
    if taken is None:
        return 0
    report: Report | None = None

    def progress(people: int) -> None:
        beat()
        if stopping():
            raise _Stopping
        _alive(office, taken.id, people)

    try:
        report = dry_run(office, _campaign(office, taken), _every(STEP, progress))
        if taken.kind == ErrandKind.SUBMIT:
            _submit(office, taken, report, _every(STEP, progress))
    except _Stopping:
        _end(office, taken.id, ErrandStatus.WAITING, None, "")
        return 0
    except CandourError as wrong:
        _end(office, taken.id, ErrandStatus.FAILED, report, str(wrong))
    except Exception as unexpected:  # the row says so, and does not come back again and again
        log.error("an errand broke off: %s", type(unexpected).__name__)
        _end(office, taken.id, ErrandStatus.FAILED, None, BROKE_OFF)
    else:
        _end(office, taken.id, ErrandStatus.DONE, report, "")
    return 1


def _submit(office: Office, errand: Errand, report: Report, progress: Callable[[int], None]) -> None:
    if report.refused:
        raise BadInput(f"{report.refused} texts cannot be made: see the refusals of the dry run.")
    campaign = _campaign(office, errand)
    if digest_of(campaign.plan) != errand.plan_digest:
        raise BadInput("The plan was changed meanwhile: look at it again.")
    plan_of(campaign.plan)
    life.submit(office, campaign.name, by=errand.by, progress=progress)


def _take(office: Office) -> Errand | None:
    at = office.clock()
    free = or_(
        Errand.status == ErrandStatus.WAITING.value,
        (Errand.status == ErrandStatus.RUNNING.value) & (Errand.lease_until <= at),
    )
    with office.database.reading() as session:
        if session.scalars(select(Errand.id).where(free).limit(1)).first() is None:
            return None
    with office.database.writing() as session:
        found = session.scalars(select(Errand).where(free).order_by(Errand.id).limit(1).with_for_update(skip_locked=True)).first()
        if found is None:
            return None
        if found.status == ErrandStatus.WAITING:
            move(found, ErrandStatus.RUNNING)
        found.holder, found.lease_until, found.people = office.holder, at + LEASE, 0
        return found


def _alive(office: Office, errand_id: int, people: int) -> None:
    values = {"people": people, "lease_until": office.clock() + LEASE}
    mine = update(Errand).where(Errand.id == errand_id, Errand.holder == office.holder)
    with office.database.writing() as session:
        session.execute(mine.values(values))


def _end(office: Office, errand_id: int, to: ErrandStatus, report: Report | None, error: str) -> None:
    with office.database.writing() as session:
        errand = session.get_one(Errand, errand_id, with_for_update=True)
        if errand.status != ErrandStatus.RUNNING or errand.holder != office.holder:
            return  # its lease was over, and somebody else has begun anew
        move(errand, to)
        errand.holder = errand.lease_until = None
        errand.error = error[:400]
        if to is not ErrandStatus.WAITING:
            errand.ended_at = office.clock()
        if report is not None:
            errand.people = report.people
            errand.sealed_report = office.vault.seal(json.dumps(report.plain(), default=_plain), REPORT)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _campaign(office: Office, errand: Errand) -> Campaign:
    with office.database.reading() as session:
        return session.get_one(Campaign, errand.campaign_id)


def _open(campaign_id: int) -> Any:
    unfinished: Sequence[str] = (ErrandStatus.WAITING.value, ErrandStatus.RUNNING.value)
    return select(Errand).where(Errand.campaign_id == campaign_id, Errand.status.in_(unfinished)).limit(1)


def _every(step: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    told = 0

    def tell(people: int) -> None:
        nonlocal told
        if people - told >= step:
            told = people
            progress(people)

    return tell
