"""Letters that came back: read from a list of the numbers on them, each with the post's reason; the ladder goes on from there."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.campaigns.audience import Because, rungs_of
from bot.campaigns.models import Campaign, CampaignStatus, Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.paper.addressing import notice_of
from bot.campaigns.paper.models import Letter, Return

GOES_ON = frozenset({CampaignStatus.RUNNING, CampaignStatus.PAUSED})
MOST = 200_000
WORDS = {
    **{one.value: one for one in Return}, "": Return.OTHER, "dead": Return.DECEASED, "died": Return.DECEASED,
    "遷出": Return.MOVED, "已遷出": Return.MOVED, "迁出": Return.MOVED, "已迁出": Return.MOVED,
    "無此人": Return.UNKNOWN, "查無此人": Return.UNKNOWN, "无此人": Return.UNKNOWN, "查无此人": Return.UNKNOWN,
    "地址不全": Return.INCOMPLETE, "地址不詳": Return.INCOMPLETE, "地址不详": Return.INCOMPLETE,
    "拒收": Return.REFUSED, "無人領取": Return.UNCLAIMED, "无人领取": Return.UNCLAIMED,
    "已故": Return.DECEASED, "死亡": Return.DECEASED, "離世": Return.DECEASED, "离世": Return.DECEASED, "其他": Return.OTHER,
}  # fmt: skip
"""What may stand as the reason. A word that is not here is refused: a misspelt `deceased` would have the family rung up."""


@dataclass
class Imported:
    """What a list of returned mail did."""

    back: int = 0
    again: int = 0  # for whom the next rung begins
    left: int = 0  # left to the team
    repeated: int = 0
    why: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)  # row and reason; nothing of who it is about


def read(text: str) -> Iterator[tuple[int, str, str]]:
    """Row, number and reason of each line; a heading is passed over. Raises BadInput for what is no CSV."""
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff")), strict=True), start=1):
            if row > MOST:
                raise BadInput(f"A list has at most {MOST:,} rows.")
            if not cells or not cells[0].strip() or (row == 1 and not any(sign.isdigit() for sign in cells[0])):
                continue
            yield row, cells[0], cells[1].strip().lower() if len(cells) > 1 else ""
    except csv.Error:
        raise BadInput("This is not a CSV file.") from None


def bring_in(session: Session, vault: Vault, campaign: Campaign, text: str, *, by: str, at: datetime) -> Imported:
    """Take in a list of returned mail: `number,reason` in each row; what cannot be read is told, and the rest taken in."""
    done = Imported()
    for row, number, reason in read(text):
        if problem := _one(session, vault, campaign, number, WORDS.get(reason), done, by, at):
            done.refused.append(f"row {row}: {problem}")
    return done


def _one(
    session: Session, vault: Vault, campaign: Campaign, number: str, why: Return | None, done: Imported, by: str, at: datetime
) -> str:
    notice_id = notice_of(number)
    if notice_id is None:
        return "this is no number of a letter, or a digit was misread"
    if why is None:
        return "this reason is not known"
    letter, notice = session.get(Letter, notice_id), session.get(Notice, notice_id, with_for_update=True)
    if letter is None or notice is None or notice.campaign_id != campaign.id:
        return "no letter of this campaign has this number"
    if letter.returned_at is not None:
        done.repeated += 1
        return ""
    if notice.status != NoticeStatus.POSTED:
        return f"this letter was not posted: it is {notice.status}"
    letter.returned_at, letter.why = at, why.value
    move(notice, NoticeStatus.FAILED)
    notice.settled_at, notice.reason = at, f"returned: {why.value}"
    done.back += 1
    done.why[why.value] += 1
    goes_on = _go_on(session, campaign, notice, why, at)
    done.again += goes_on
    done.left += not goes_on
    content = {"notice": notice.id, "campaign": campaign.id, "channel": notice.channel, "why": why.value, "goes_on": goes_on}
    subject = f"person:{notice.person_id}"
    audit.record(session, at=at, actor=by[:60], kind="notice.returned", subject=subject, content=content, vault=vault)
    return ""


def _go_on(session: Session, campaign: Campaign, notice: Notice, why: Return, at: datetime) -> bool:
    """Begin the next rung where there is one; else leave the person to the team. Returns whether a rung begins."""
    obligation = session.get_one(Obligation, notice.obligation_id, with_for_update=True)
    if obligation.status != ObligationStatus.POSTED:
        return False  # told by another way meanwhile
    has_more = obligation.rung < len(rungs_of(obligation.ladder)) and campaign.status in GOES_ON
    if has_more and why is not Return.DECEASED:
        move(obligation, ObligationStatus.OPEN)
        obligation.next_at, obligation.settled_at = at, None
        return True
    move(obligation, ObligationStatus.MANUAL)
    because = Because.HELD if why is Return.DECEASED else Because.RETURNED
    obligation.because, obligation.settled_at = because.value, None
    return False
