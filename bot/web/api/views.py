"""Cases as programs see them, made of what the console's pages are made of."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from bot.conversations.models import Thread
from bot.desk.cases import reasons_of
from bot.desk.hours.calendar import Calendar
from bot.desk.hours.deadlines import clocks, is_owed
from bot.desk.hours.switches import calendar
from bot.desk.models import HELD, LIVE, Case
from bot.desk.sight.casefile import case_with
from bot.desk.staff.names import Colleague as Named
from bot.desk.staff.names import colleagues
from bot.desk.work.persons import PROVEN, persons_of, threads_of
from bot.web.api.door import Caller
from bot.web.api.shapes.cases import CaseView, Clock, Colleague


class Viewing:
    """What is needed to show cases in one request: names and the calendar, read once."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session, self._caller = session, caller
        self._names: Mapping[int, Named] = colleagues(session, caller.vault)
        self._known: Calendar = calendar(session, caller.now, caller.hours(session))
        settings = caller.settings
        self._base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.web_port}"

    def case(self, case: Case) -> CaseView:
        """One case with all its reasons."""
        session = self._session
        thread: Thread = threads_of(session, case)[0]
        proven = any(one.known in PROVEN for one in persons_of(session, case.id))
        reasons = sorted(reasons_of(session, case) | {case.reason}, key=lambda code: (code != case.reason, code))
        into = case_with(session, case.merged_into).number if case.merged_into else None
        return self.row(case, thread.channel, thread.language, thread.owner, proven, reasons=reasons, into=into)

    def row(
        self,
        case: Case,
        channel: str,
        language: str,
        owner: str,
        is_proven: bool,
        *,
        reasons: list[str] | None = None,
        into: str | None = None,
    ) -> CaseView:
        """A case of a list."""
        return CaseView(
            number=case.number,
            version=case.version,
            status=case.status,
            reason=case.reason,
            reasons=reasons or [case.reason],
            priority=case.priority,
            team=case.team,
            channel=channel,
            language=language,
            owner=owner,
            is_proven=is_proven,
            opened_at=case.opened_at,
            reopened_at=case.reopened_at,
            waiting_since=case.waiting_since if case.status in LIVE and is_owed(case) else None,
            clocks=[
                Clock(kind=one.kind, due_at=one.due_at, state=one.state) for one in clocks(case, self._known, self._caller.now)
            ],
            claimed_by=self.who(case.claimed_by),
            is_mine=case.claimed_by == self._caller.id and case.status in HELD,
            meant_for=self.who(case.meant_for),
            snoozed_until=case.snoozed_until,
            resolved_at=case.resolved_at,
            outcome=case.outcome,
            merged_into=into,
            link=f"{self._base}/desk/cases/{case.id}",
        )

    def who(self, staff_id: int | None) -> Colleague | None:
        """Somebody of the team."""
        if staff_id is None:
            return None
        named = self._names.get(staff_id)
        return Colleague(id=staff_id, name=named.name if named else "")


def view(session: Session, caller: Caller, case_id: int) -> CaseView:
    """A case as it is now."""
    return Viewing(session, caller).case(case_with(session, case_id))
