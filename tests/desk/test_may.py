"""Who may do what is asked where it is done: no page can forget it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk.cases import add_reason, reasons_of
from bot.desk.hours import switches
from bot.desk.models import CaseStatus, Outcome
from bot.desk.records import CallResult, Known, Switch
from bot.desk.staff import accounts
from bot.desk.staff.roles import Role
from bot.desk.work import claims, ending, notebook, persons
from tests.desk.conftest import Desk

Deed = Callable[[Session, Desk, int, int], object]

DEEDS: dict[str, Deed] = {
    "claim": lambda s, d, case, who: claims.claim(s, d.vault, case, who, d.clock()),
    "take over": lambda s, d, case, who: claims.take_over(s, d.vault, case, who, d.clock()),
    "release": lambda s, d, case, who: claims.release(s, d.vault, case, who, d.clock()),
    "close": lambda s, d, case, who: ending.resolve(s, d.vault, d.published, case, who, d.clock(), outcome=Outcome.ANSWERED),
    "hand back": lambda s, d, case, who: ending.hand_back(s, d.vault, d.published, case, who, d.clock()),
    "note": lambda s, d, case, who: notebook.add_note(s, d.vault, case, who, d.clock(), text="x"),
    "call": lambda s, d, case, who: notebook.log_call(s, d.vault, case, who, d.clock(), result=CallResult.REACHED),
    "link": lambda s, d, case, who: persons.link(s, d.vault, case, 1, Known.CONFIRMED, staff_id=who, at=d.clock()),
    "unlink": lambda s, d, case, who: persons.unlink(s, d.vault, case, 1, staff_id=who, at=d.clock()),
    "merge": lambda s, d, case, who: persons.merge(s, d.vault, case, case, staff_id=who, at=d.clock()),
    "undo a merge": lambda s, d, case, who: persons.undo_merge(s, d.vault, case, staff_id=who, at=d.clock()),
    "add a reason": lambda s, d, case, who: add_reason(s, d.vault, case, who, "correction_request", d.clock()),
    "surge": lambda s, d, case, who: switches.turn_on(s, d.vault, Switch.SURGE, by=f"staff:{who}", at=d.clock()),
    "suspend": lambda s, d, case, who: accounts.suspend(s, d.vault, 1, by=who, at=d.clock()),
    "roles": lambda s, d, case, who: accounts.set_roles(s, d.vault, 1, [Role.LEAD], by=who, at=d.clock()),
    "reinstate": lambda s, d, case, who: accounts.reinstate(s, d.vault, 1, by=who, at=d.clock()),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_an_auditor_changes_nothing_by_any_way(lite: Desk, deed: str) -> None:
    lite.colleague(Role.ADMIN)
    auditor, case_id = lite.colleague(Role.AUDITOR), lite.case()
    before = lite.look(case_id).version
    with pytest.raises(BadInput, match="role does not allow"), lite.database.writing() as session:
        DEEDS[deed](session, lite, case_id, auditor)
    assert (lite.look(case_id).version, lite.look(case_id).status) == (before, CaseStatus.OPEN)


def test_whoever_is_suspended_in_the_middle_of_a_case_goes_no_further(lite: Desk) -> None:
    admin, agent = lite.colleague(Role.ADMIN), lite.colleague()
    case_id = lite.case()
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, case_id, agent, lite.clock())
        accounts.suspend(session, lite.vault, agent, by=admin, at=lite.clock())
    with pytest.raises(BadInput, match="role does not allow"), lite.database.writing() as session:
        DEEDS["close"](session, lite, case_id, agent)


def test_a_case_is_not_handed_to_somebody_who_cannot_work_on_it(lite: Desk) -> None:
    agent, auditor, case_id = lite.colleague(), lite.colleague(Role.AUDITOR), lite.case()
    with lite.database.writing() as session:
        claims.claim(session, lite.vault, case_id, agent, lite.clock())
    with pytest.raises(BadInput, match="cannot work on cases"), lite.database.writing() as session:
        claims.transfer(session, lite.vault, case_id, agent, lite.clock(), to=auditor)


def test_no_responder_declares_somebody_verified(lite: Desk) -> None:
    lead, case_id = lite.colleague(Role.LEAD), lite.case()
    with pytest.raises(BadInput, match="one-time code"), lite.database.writing() as session:
        persons.link(session, lite.vault, case_id, 1, Known.VERIFIED, staff_id=lead, at=lite.clock())


def test_a_responder_notes_a_correction_request_and_its_clock_runs_since_the_case_was_opened(lite: Desk) -> None:
    agent, case_id = lite.colleague(), lite.case()
    opened = lite.look(case_id).opened_at
    lite.clock.advance(days=2)
    for _ in range(2):
        with lite.database.writing() as session:
            add_reason(session, lite.vault, case_id, agent, "correction_request", lite.clock())
    case = lite.look(case_id)
    assert case.statutory_due_at is not None
    assert ((case.statutory_due_at - opened).days, case.priority, case.reason) == (40, 2, "correction_request")
    with lite.database.reading() as session:
        assert reasons_of(session, case) == {"patient_wish", "correction_request"}
    with pytest.raises(BadInput), lite.database.writing() as session:
        add_reason(session, lite.vault, case_id, agent, "no_such", lite.clock())
