"""The life of a campaign: written, submitted, approved by somebody else, started, stopped, ended; each step in the sealed log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput, IllegalMove
from bot.base.lifecycle import move, moving
from bot.base.vault import Vault
from bot.campaigns import freezing
from bot.campaigns.models import (
    FINAL,
    Campaign,
    CampaignApproval,
    CampaignHold,
    CampaignStatus,
    Notice,
    NoticeStatus,
    Obligation,
    ObligationStatus,
)
from bot.campaigns.office import Office
from bot.campaigns.plan import Plan, digests_of, plan_of
from bot.campaigns.planning import senders
from bot.campaigns.planning.authors import authors
from bot.campaigns.planning.holding import working
from bot.campaigns.sending import withholding
from bot.patients.roster.imports import state_of

STATES = CampaignStatus


def named(session: Session, name: str, *, lock: bool = False) -> Campaign:
    """The campaign of this name; raises BadInput when there is none."""
    wanted = select(Campaign).where(Campaign.name == name)
    found = session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if found is None:
        raise BadInput(f"There is no campaign named {name[:80]!r}.")
    return found


def new(session: Session, vault: Vault, *, name: str, notice: str, version: str, plan: Plan, by: str, at: datetime) -> Campaign:
    """A draft; raises BadInput when the name is taken or empty."""
    plan_of(plan.model_dump(mode="json"))
    name = name.strip()
    if not 1 <= len(name) <= 80 or not 1 <= len(notice) <= 60 or not 1 <= len(version) <= 20:
        raise BadInput("A campaign has a name of at most 80 characters, a notice of 60 and a version of 20.")
    if session.scalar(select(Campaign.id).where(Campaign.name == name)):
        raise BadInput(f"There is a campaign named {name!r} already.")
    made = Campaign(name=name, notice=notice, version=version, plan=plan.model_dump(mode="json"), by=_who(by), created_at=at)
    session.add(made)
    session.flush()
    log(session, vault, made, "created", by, at, notice=notice, version=version, plan=made.plan)
    return made


def change(session: Session, vault: Vault, name: str, plan: Plan, *, by: str, at: datetime) -> None:
    """Another plan; what was submitted or approved becomes a draft again, and its approval void."""
    campaign = named(session, name, lock=True)
    if campaign.status != STATES.DRAFT:
        move(campaign, STATES.DRAFT)
    _void(session, campaign, at)
    freezing.forget(session, campaign.id)  # who is frozen for a draft must not stand in another campaign's way
    campaign.plan, campaign.digests, campaign.submitted_by = plan.model_dump(mode="json"), None, None
    log(session, vault, campaign, "changed", by, at, plan=campaign.plan)


def submit(office: Office, name: str, *, by: str, progress: Callable[[int], None] = lambda _: None) -> Campaign:
    """Freeze the recipients and ask for approval; raises BadInput when nobody is to be told or a text is missing."""
    database = office.database
    with working(office, f"campaign.freeze.{name}"[:60]) as alive:
        with database.writing() as session:
            campaign = named(session, name)
            if campaign.status != STATES.DRAFT:
                raise IllegalMove(f"The campaign is {campaign.status}: only a draft is submitted.")
            roster = state_of(session.connection())
            if roster < 0:
                raise BadInput("The roster's import has begun and not ended: import its file again, or some would not be told.")
            senders.checked(office, plan_of(campaign.plan))
            office.texts.keep(session, campaign.notice, campaign.version)
        text = office.texts.digest(campaign.notice, campaign.version)

        def told(people: int) -> None:
            alive()
            progress(people)

        frozen = freezing.freeze(database, office.vault, campaign, told)
        if not frozen.population:
            raise BadInput("Nobody is in this audience who is not owed or told this version already.")
        try:
            return _submitted(office, name, by, text, frozen, (campaign.plan, roster))
        except BadInput:
            with database.writing() as session:
                freezing.forget(session, campaign.id)
            raise


def _submitted(office: Office, name: str, by: str, text: str, frozen: freezing.Frozen, on: tuple[Any, int]) -> Campaign:
    with office.database.writing() as session:
        campaign = named(session, name, lock=True)
        if (campaign.plan, state_of(session.connection())) != on:
            raise BadInput("The plan or the roster changed while people were looked up: submit it again.")
        plan = plan_of(campaign.plan)
        campaign.digests = digests_of(plan, text, frozen.digest.hexdigest())
        campaign.population, campaign.submitted_by, campaign.pause_reason = frozen.population, _who(by), ""
        move(campaign, STATES.SUBMITTED)
        log(
            session,
            office.vault,
            campaign,
            "submitted",
            by,
            office.clock(),
            population=frozen.population,
            digests=campaign.digests,
        )
        return campaign


def approve(office: Office, name: str, *, by: str, digests: dict[str, str] | None = None) -> Campaign:
    """Approve exactly what was submitted; raises BadInput for the author and when anything differs from what was seen."""
    current = _current(office, name)
    with office.database.writing() as session:
        campaign, at = named(session, name, lock=True), office.clock()
        if campaign.status != STATES.SUBMITTED:
            raise IllegalMove(f"The campaign is {campaign.status}: only a submitted one is approved.")
        if _who(by).casefold() in authors(session, campaign):
            raise BadInput("Somebody else has to approve: not who wrote, changed or submitted it.")
        if current != campaign.digests or (digests is not None and digests != campaign.digests):
            raise BadInput("Something has changed since it was submitted: submit it again.")
        session.add(CampaignApproval(campaign_id=campaign.id, by=_who(by), at=at, digests=campaign.digests))
        move(campaign, STATES.APPROVED)
        log(session, office.vault, campaign, "approved", by, at, digests=campaign.digests)
        return campaign


def send_back(session: Session, vault: Vault, campaign: Campaign, *, why: str, by: str, at: datetime) -> None:
    """Not approved: it is a draft again, and its author reads why."""
    if campaign.status != STATES.SUBMITTED:
        raise IllegalMove(f"The campaign is {campaign.status}: only a submitted one is sent back.")
    if not why.strip():
        raise BadInput("Say what has to change.")
    move(campaign, STATES.DRAFT)
    freezing.forget(session, campaign.id)
    campaign.digests, campaign.submitted_by, campaign.pause_reason = None, None, why.strip()[:300]
    log(session, vault, campaign, "sent_back", by, at, why=campaign.pause_reason)


def start(office: Office, name: str, *, by: str) -> Campaign:
    """Let the first wave go; raises BadInput when anything differs from what was approved, or while a hold stands."""
    if not office.is_live:
        raise BadInput(
            "This installation reaches nobody but the addresses for tests. To write to patients, set CANDOUR_CAMPAIGNS_LIVE=true."
        )
    current = _current(office, name)
    with office.database.writing() as session:
        campaign, at = named(session, name, lock=True), office.clock()
        if campaign.status != STATES.APPROVED:
            raise IllegalMove(f"The campaign is {campaign.status}: only an approved one is started.")
        _no_hold(session, campaign, at)
        senders.checked(office, plan_of(campaign.plan))
        approval = session.scalars(_standing(campaign)).first()
        if approval is None or approval.digests != current:
            raise BadInput("What would be sent is not what was approved: change it to a draft and submit it again.")
        move(campaign, STATES.RUNNING)
        campaign.started_at = campaign.results_from = at
        log(session, office.vault, campaign, "started", by, at, digests=current)
        left = (Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.MANUAL.value)
        withholding.prove_left(session, office.vault, session.execute(select(*withholding.LEFT).where(*left)).all(), at)
        return campaign


def pause(session: Session, vault: Vault, campaign: Campaign, *, by: str, why: str, at: datetime) -> None:
    """Nothing new leaves from now on; what is being handed to a provider is finished and recorded."""
    move(campaign, STATES.PAUSED)
    campaign.pause_reason, campaign.waits_for = why[:300], ""
    log(session, vault, campaign, "paused", by, at, why=campaign.pause_reason)


def resume(session: Session, vault: Vault, campaign: Campaign, *, by: str, at: datetime) -> None:
    """Go on with whoever has not been written to; raises BadInput while a hold stands."""
    if campaign.status != STATES.PAUSED:
        raise IllegalMove(f"The campaign is {campaign.status}: only a paused one is resumed.")
    _no_hold(session, campaign, at)
    move(campaign, STATES.RUNNING)
    campaign.pause_reason, campaign.results_from = "", at
    _find_missing(session, campaign, at)
    log(session, vault, campaign, "resumed", by, at)


def release(session: Session, vault: Vault, campaign: Campaign, *, by: str, at: datetime) -> int:
    """Let the wave after the present one go, when the desk can cope; returns its number."""
    if campaign.status not in (STATES.RUNNING, STATES.PAUSED):
        raise IllegalMove(f"The campaign is {campaign.status}: it has no wave to release.")
    campaign.hold_released = max(campaign.hold_released, campaign.wave + 1)
    log(session, vault, campaign, "wave_released", by, at, wave=campaign.hold_released)
    return campaign.hold_released


def cancel(session: Session, vault: Vault, campaign: Campaign, *, by: str, why: str, at: datetime) -> None:
    """End it for good: whoever has not been told is not told by it."""
    move(campaign, STATES.CANCELLED)
    campaign.ended_at, campaign.waits_for, campaign.pause_reason = at, "", why[:300]
    _void(session, campaign, at)
    session.execute(moving(Notice, NoticeStatus.CANCELLED).where(Notice.campaign_id == campaign.id))
    session.execute(moving(Obligation, ObligationStatus.CANCELLED).where(Obligation.campaign_id == campaign.id))
    log(session, vault, campaign, "cancelled", by, at, why=campaign.pause_reason)


def hold(
    session: Session, vault: Vault, campaign: Campaign, *, authority: str, until: datetime | None, by: str, at: datetime
) -> None:
    """Stop it at an authority's order, until then or until the order is lifted."""
    if not authority.strip():
        raise BadInput("Say which authority orders it.")
    session.add(CampaignHold(campaign_id=campaign.id, authority=authority.strip()[:120], by=_who(by), since=at, until=until))
    session.flush()
    log(session, vault, campaign, "held", by, at, authority=authority.strip()[:120], until=until.isoformat() if until else None)
    if campaign.status == STATES.RUNNING:
        pause(session, vault, campaign, by=by, why=f"{authority.strip()} has ordered to wait", at=at)


def lift(session: Session, vault: Vault, campaign: Campaign, *, by: str, at: datetime) -> int:
    """End the orders that stand; returns how many. The campaign stays paused until somebody resumes it."""
    standing = session.scalars(select(CampaignHold).where(_holds(campaign, at))).all()
    for one in standing:
        one.lifted_at = at
    log(session, vault, campaign, "hold_lifted", by, at, holds=len(standing))
    return len(standing)


def finish(session: Session, vault: Vault, campaign: Campaign, at: datetime) -> bool:
    """Complete it when everybody is in a final state; returns whether it is."""
    counted = select(Obligation.status, func.count()).where(Obligation.campaign_id == campaign.id).group_by(Obligation.status)
    people = dict(session.execute(counted).all())
    if campaign.status != STATES.RUNNING or not set(people) <= FINAL or sum(people.values()) != campaign.population:
        return False
    move(campaign, STATES.COMPLETED)
    campaign.ended_at, campaign.waits_for = at, ""
    log(session, vault, campaign, "completed", "campaign", at, population=campaign.population, states=people)
    return True


def _find_missing(session: Session, campaign: Campaign, at: datetime) -> None:
    """Let the rung begin again of whoever should have a notice and has none: resuming is a difference of sets."""
    has = select(func.count()).where(Notice.obligation_id == Obligation.id).scalar_subquery()
    lost = (Obligation.campaign_id == campaign.id, Obligation.status == ObligationStatus.OPEN.value, Obligation.rung > has)
    again = update(Obligation).where(*lost).values(rung=Obligation.rung - 1, next_at=at)
    session.execute(again.execution_options(synchronize_session=False))


def log(session: Session, vault: Vault, campaign: Campaign, what: str, by: str, at: datetime, **content: Any) -> None:
    """An entry about a campaign in the sealed log."""
    subject = f"campaign:{campaign.id}"
    content = {"campaign": campaign.name, **content}
    audit.record(session, at=at, actor=_who(by), kind=f"campaign.{what}", subject=subject, content=content, vault=vault)


def _current(office: Office, name: str) -> dict[str, str]:
    with office.database.reading() as session:
        campaign = named(session, name)
    text = office.texts.digest(campaign.notice, campaign.version)
    recipients = freezing.recipients_digest(office.database, campaign.id)
    return digests_of(plan_of(campaign.plan), text, recipients)


def _standing(campaign: Campaign) -> Any:
    standing = select(CampaignApproval).where(CampaignApproval.campaign_id == campaign.id, CampaignApproval.voided_at.is_(None))
    return standing.order_by(CampaignApproval.id.desc())


def _void(session: Session, campaign: Campaign, at: datetime) -> None:
    for approval in session.scalars(_standing(campaign)):
        approval.voided_at = at


def _holds(campaign: Campaign, at: datetime) -> Any:
    lasts = or_(CampaignHold.until.is_(None), CampaignHold.until > at)
    return (CampaignHold.campaign_id == campaign.id) & CampaignHold.lifted_at.is_(None) & lasts


def _no_hold(session: Session, campaign: Campaign, at: datetime) -> None:
    standing = session.scalars(select(CampaignHold).where(_holds(campaign, at))).first()
    if standing is not None:
        raise BadInput(f"{standing.authority} has ordered to wait; lift the order first.")


def _who(by: str) -> str:
    who = by.strip()[:60]
    if not who:
        raise BadInput("Say who does it.")
    return who
