"""Who holds which version of a notice, and what a campaign about new facts begins with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.campaigns.models import FINAL, Campaign, CampaignStatus, Obligation, ObligationStatus
from bot.campaigns.plan import Audience, Plan
from bot.patients.notices.models import NoticeOnFile

SUPPLEMENT, RETRACTION = "supplementary_notice", "retraction"
NEWS = (SUPPLEMENT, RETRACTION)
"""Notices that go to whoever holds an earlier one."""


@dataclass(frozen=True)
class Held:
    """A notice version and how many people hold it."""

    notice: str
    version: str
    people: int

    @property
    def publication(self) -> int | None:
        """The publication whose facts it told; None for one that was brought in from elsewhere."""
        number = self.version.partition(".")[2]
        return int(number) if number.isdecimal() else None


def held(session: Session) -> list[Held]:
    """Every notice version that people hold, the latest first; whoever got it twice counts once in each list."""
    final = [status.value for status in FINAL]
    ours = select(Obligation.notice, Obligation.version, func.count()).where(Obligation.status.in_(final))
    before = select(NoticeOnFile.name, NoticeOnFile.version, func.count(NoticeOnFile.person_id.distinct()))
    counted: dict[tuple[str, str], int] = {}
    for name, version, number in (
        *session.execute(ours.group_by(Obligation.notice, Obligation.version)),
        *session.execute(before.group_by(NoticeOnFile.name, NoticeOnFile.version)),
    ):
        counted[name, version] = counted.get((name, version), 0) + number
    return [Held(*key, people) for key, people in sorted(counted.items(), key=lambda one: one[0][1], reverse=True)]


def on_their_way(session: Session) -> dict[tuple[str, str], int]:
    """Notice versions that people are owed and do not hold yet, with their number: they are told first."""
    still = (ObligationStatus.PLANNED.value, ObligationStatus.OPEN.value, ObligationStatus.MANUAL.value)
    owed = select(Obligation.notice, Obligation.version, func.count()).where(Obligation.status.in_(still))
    return {
        (name, version): number for name, version, number in session.execute(owed.group_by(Obligation.notice, Obligation.version))
    }


def next_number(session: Session) -> int:
    """Which notice of the incident the next one is."""
    live = select(Campaign.version).where(Campaign.status != CampaignStatus.CANCELLED.value)
    numbers = [int(head) for version in session.scalars(live) if (head := version.partition(".")[0]).isdecimal()]
    return max(numbers, default=0) + 1


def free_name(session: Session, wanted: str) -> str:
    """The name, with a number behind it when it is taken."""
    taken = set(session.scalars(select(Campaign.name)))
    name, number = wanted[:70], 2
    while name in taken:
        name, number = f"{wanted[:70]} ({number})", number + 1
    return name


def plan_about(notice: str, holds: tuple[str, str], base: Plan | None = None) -> Plan:
    """The plan that tells everybody who holds an earlier version; raises BadInput for a notice that brings no news."""
    if notice not in NEWS:
        raise BadInput("News are told by a supplementary notice or a retraction.")
    return (base or Plan()).model_copy(update={"audience": Audience(holds=holds)})
