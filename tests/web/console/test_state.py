"""The health page: what is wrong in red, who switched what, the legal hold with its reason, and the suggestion of surge."""

from __future__ import annotations

from collections.abc import Callable

from bot.base.audit import AuditEntry
from bot.desk.hours import switches
from bot.desk.records import Page, PageStatus, Switch
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
WHY = "the regulator asked on Monday"


def on(desk: Desk, switch: Switch) -> bool:
    with desk.database.reading() as session:
        return switches.is_on(session, switch)


def test_everybody_reads_how_each_part_stands(desk: Desk, colleague: Make) -> None:
    for role in Role:
        shown = colleague(role).get("/desk/state")
        assert shown.status_code == 200
        assert 'id="part-worker"' in shown.text
        assert "has not reported" in shown.text


def test_calls_that_do_not_leave_stand_in_red_on_every_page(desk: Desk, colleague: Make) -> None:
    agent = colleague(Role.AGENT)
    with desk.database.writing() as session:
        session.add(Page(staff_id=agent.id, channel="sms", text="x", status=PageStatus.FAILED.value, made_at=desk.clock()))
    for address in ("/desk", "/desk/calls", "/desk/me"):
        assert "Calls for help do not leave" in agent.get(address).text
    assert "Failed: 1. Do not leave: 0." in agent.get("/desk/state").text


def test_the_page_says_who_switched_and_when(desk: Desk, colleague: Make) -> None:
    lead, agent = colleague(Role.LEAD), colleague(Role.AGENT)
    lead.post("/desk/queue/switch", switch="typhoon", on="1")
    name = agent.get("/desk/state").text
    assert "on since 09:0" in name
    assert "by Dr colleague" in name
    assert "by Dr colleague" in lead.get("/desk").text
    lead.post("/desk/queue/switch", switch="typhoon", on="")
    assert "Switched lately" in agent.get("/desk/state").text


def test_the_privacy_officer_holds_and_ends_with_a_reason_in_the_log(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    assert "Say why" in officer.post("/desk/state/hold", on="1", why="").text
    assert not on(desk, Switch.LEGAL_HOLD)
    officer.post("/desk/state/hold", on="1", why=WHY)
    assert on(desk, Switch.LEGAL_HOLD)
    assert "Legal hold" in officer.get("/desk").text
    officer.post("/desk/state/hold", on="", why=WHY)
    assert not on(desk, Switch.LEGAL_HOLD)
    with desk.database.reading() as session:
        rows = session.query(AuditEntry).filter(AuditEntry.kind.like("desk.switched%")).order_by(AuditEntry.id)
        kinds = [(row.kind, row.actor) for row in rows]
    assert kinds == [(f"desk.switched_{way}", f"staff:{officer.id}") for way in ("on", "off")]


def test_nobody_else_touches_the_hold(desk: Desk, colleague: Make) -> None:
    for role in (Role.AGENT, Role.LEAD, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        someone = colleague(role)
        assert someone.post("/desk/state/hold", on="1", why=WHY).status_code == 403
        assert "/desk/state/hold" not in someone.get("/desk/state").text
    assert not on(desk, Switch.LEGAL_HOLD)


def test_surge_is_suggested_with_its_reasons_to_who_can_switch_it(desk: Desk, colleague: Make) -> None:
    lead, agent = colleague(Role.LEAD), colleague(Role.AGENT, on_duty=False)
    for _ in range(16):
        desk.case()
    assert "16 patients wait unclaimed (limit 10) and there are 16 cases for each" in lead.get("/desk").text
    assert 'id="advice"' in lead.get("/desk/state").text
    assert 'id="advice"' not in agent.get("/desk").text
    lead.post("/desk/queue/switch", switch="surge", on="1")
    assert 'id="advice"' not in lead.get("/desk").text
