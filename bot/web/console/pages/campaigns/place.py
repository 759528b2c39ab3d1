"""Where the pages of campaigns are, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy.orm import Session

from bot.assembly import office_for
from bot.base.clock import HONG_KONG
from bot.base.errors import BadInput
from bot.campaigns import figures
from bot.campaigns.models import Campaign
from bot.campaigns.office import Office
from bot.campaigns.planning import errands
from bot.campaigns.planning.authors import authors
from bot.campaigns.watching import tables
from bot.desk.staff.approvals import Deciders
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.live import topic
from bot.web.console.rendering import Entry

router = console_router()
HOME = "/desk/campaigns"
ENTRY = Entry("campaigns", HOME, Permission.SEE_CAMPAIGNS, 35, "m")

Reader = Annotated[Staff, requires(Permission.SEE_CAMPAIGNS)]
Silent = Annotated[Staff, requires(Permission.SEE_CAMPAIGNS, by_itself=True)]
Runner = Annotated[Staff, requires(Permission.RUN_CAMPAIGNS)]
Stopper = Annotated[Staff, requires(Permission.STOP_CAMPAIGNS)]
Second = Annotated[Staff, requires(Permission.APPROVE_CAMPAIGNS)]

topic("campaign", Permission.SEE_CAMPAIGNS, lambda session, number, _: tables.fingerprint(session, number))
topic("campaigns", Permission.SEE_CAMPAIGNS, lambda session, _number, _at: tables.fingerprint_of_all(session))


def office(staff: Staff) -> Office:
    """What campaigns work with, in the hands of one colleague."""
    return office_for(staff.door.application, f"desk:{staff.id}")


def place_of(campaign: Campaign, part: str = "") -> str:
    """The address of a campaign's page, or of a part of it."""
    return f"{HOME}/{campaign.id}" + (f"/{part}" if part else "")


def names(staff: Staff, session: Session) -> dict[str, str]:
    """What those are called who stand in the log."""
    return {f"staff:{number}": one.name for number, one in colleagues(session, staff.vault).items()}


def deciders(staff: Staff, session: Session, campaign: Campaign) -> Deciders:
    """Who could approve what was submitted: nobody who wrote, changed or submitted it."""
    involved = authors(session, campaign)
    able = [
        one
        for one in colleagues(session, staff.vault).values()
        if one.is_active and one.may(Permission.APPROVE_CAMPAIGNS) and f"staff:{one.id}" not in involved
    ]
    return Deciders([one.id for one in able if one.on_duty], [one.id for one in able if not one.on_duty])


@dataclass(frozen=True)
class Shown:
    """A campaign as its pages head it."""

    campaign: Campaign
    is_busy: bool
    errand: errands.Errand | None


def shown(session: Session, campaign_id: int) -> Shown:
    """A campaign and what is being done about it; raises NoResultFound."""
    campaign = figures.numbered(session, campaign_id)
    return Shown(campaign, errands.is_busy(session, campaign_id), errands.last(session, campaign_id))


def moment_of(text: str) -> datetime | None:
    """What a field says on a Hong Kong clock, in UTC; None for an empty one, BadInput for what is no time."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).astimezone(UTC)
    except ValueError:
        raise BadInput("Choose a time.") from None
