"""What nobody handled is on a page, with something to do about each, until the page is empty."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from bot.channels.base import HookKind
from bot.conversations.models import Turn, TurnStatus
from bot.conversations.post.hooks import CONTENT
from bot.conversations.post.models import HookDelivery, HookStatus
from bot.desk.models import Case
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/unhandled"
EMPTY = "Everything was handled."


def lost(desk: Desk, status: TurnStatus) -> int:
    """A turn that was left in this state five minutes ago."""
    thread_id = desk.thread()
    desk.turn(thread_id)
    with desk.database.writing() as session:
        turn = session.scalars(select(Turn).where(Turn.thread_id == thread_id)).one()
        turn.status = status.value
        number = turn.id
    desk.clock.advance(minutes=5)
    return number


def broken(desk: Desk) -> int:
    with desk.database.writing() as session:
        hook = HookDelivery(
            kind=HookKind.SENDGRID_INBOUND.value,
            provider_id="x1",
            sealed_content=desk.vault.seal('{"text": "<img src=x> please call me"}', CONTENT),
            status=HookStatus.BROKEN.value,
            received_at=desk.clock(),
        )
        session.add(hook)
        session.flush()
        return hook.id


def test_a_quiet_day_is_an_empty_page(colleague: Make) -> None:
    assert EMPTY in colleague(Role.AGENT).get(PAGE).text


def test_a_turn_that_no_case_holds_goes_into_one_and_off_the_page(desk: Desk, colleague: Make) -> None:
    turn_id, ann = lost(desk, TurnStatus.QUEUED), colleague(Role.AGENT)
    assert "no open case holds it" in ann.get(PAGE).text
    ann.post(f"{PAGE}/turn/{turn_id}/case", via=PAGE)
    with desk.database.reading() as session:
        assert session.scalars(select(Case)).one().reason == "engine_failed"
    assert EMPTY in ann.get(PAGE).text


def test_a_turn_that_nobody_answered_is_answered_by_trying_again(desk: Desk, colleague: Make) -> None:
    turn_id, ann = lost(desk, TurnStatus.STORED), colleague(Role.AGENT)
    assert "nobody has answered" in ann.get(PAGE).text
    ann.post(f"{PAGE}/turn/{turn_id}/again", via=PAGE)
    with desk.database.reading() as session:
        assert session.get_one(Turn, turn_id).status == TurnStatus.ANSWERED
    assert EMPTY in ann.get(PAGE).text


def test_what_could_not_be_read_is_read_with_a_reason_and_ticked_off(desk: Desk, colleague: Make) -> None:
    hook_id, ann = broken(desk), colleague(Role.AGENT)
    assert "please call me" not in ann.get(PAGE).text
    assert "please call me" not in ann.post(f"{PAGE}/hook/{hook_id}/read", via=PAGE, reason="x").text
    shown = ann.post(f"{PAGE}/hook/{hook_id}/read", via=PAGE, reason="nobody else can read it").text
    assert "please call me" in shown
    assert "<img src=x>" not in shown
    ann.post(f"{PAGE}/hook/{hook_id}/done", via=PAGE)
    assert EMPTY in ann.get(PAGE).text


def test_whoever_works_on_no_case_does_not_come_in(desk: Desk, colleague: Make) -> None:
    turn_id, hook_id = lost(desk, TurnStatus.QUEUED), broken(desk)
    for role in (Role.AUDITOR, Role.APPROVER, Role.ADMIN):
        other = colleague(role)
        assert other.get(PAGE).status_code == 403
        for address in (f"turn/{turn_id}/case", f"turn/{turn_id}/again", f"hook/{hook_id}/read", f"hook/{hook_id}/done"):
            assert other.post(f"{PAGE}/{address}", reason="let me see it").status_code == 403
    with desk.database.reading() as session:
        assert session.scalars(select(Case)).all() == []


def test_nothing_is_done_for_what_is_not_there(colleague: Make) -> None:
    ann = colleague(Role.AGENT)
    assert ann.post(f"{PAGE}/turn/99/case", via=PAGE).status_code in (200, 404)
    assert ann.post(f"{PAGE}/hook/99/done", via=PAGE).status_code in (200, 404)
