"""Publications in the console: proposed by one, compared sentence by sentence, approved by another, and gone back from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from bot.base.audit import AuditEntry
from bot.conversations.speaking import publication
from bot.conversations.speaking.publication import Publication
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk, desk_content
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/publications"


def proposal_of(desk: Desk, by: int) -> int:
    """A proposal that changes one sentence of one text."""
    content: dict[str, Any] = desk_content()
    content["wordings"]["distress"]["texts"]["en"]["text"] = "We are here. <script>alert(1)</script>"
    with desk.database.writing() as session:
        return publication.propose(session, content, by=f"staff:{by}", at=desk.clock()).id


def status(desk: Desk, number: int) -> str:
    with desk.database.reading() as session:
        return session.get_one(Publication, number).status


def test_a_change_is_shown_sentence_by_sentence_and_as_text(desk: Desk, colleague: Make) -> None:
    lead = colleague(Role.LEAD)
    shown = lead.get(f"{PAGE}/{proposal_of(desk, lead.id)}").text
    assert "wordings.distress.texts.en.text" in shown
    assert "&lt;distress en&gt;" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown


def test_another_person_approves_and_it_is_said(desk: Desk, colleague: Make) -> None:
    lead, approver = colleague(Role.LEAD), colleague(Role.APPROVER)
    number = proposal_of(desk, lead.id)
    assert "Approved." in approver.post(f"{PAGE}/{number}/approve", via=f"{PAGE}/{number}").text
    assert desk.published.id == number
    assert "Said now" in lead.get(PAGE).text
    with desk.database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.kind == "publication.approved")).one()
        assert (entry.actor, entry.subject) == (f"staff:{approver.id}", f"publication:{number}")


def test_whoever_proposed_cannot_approve_even_with_both_roles(desk: Desk, colleague: Make) -> None:
    both = colleague(Role.LEAD, Role.APPROVER)
    number = proposal_of(desk, both.id)
    assert f"{PAGE}/{number}/approve" not in both.get(f"{PAGE}/{number}").text
    assert "another person has to approve it" in both.post(f"{PAGE}/{number}/approve", via=PAGE).text
    assert status(desk, number) == "proposed"


def test_a_lead_cannot_approve_and_an_agent_sees_nothing(desk: Desk, colleague: Make) -> None:
    lead, agent = colleague(Role.LEAD), colleague(Role.AGENT)
    number = proposal_of(desk, agent.id)
    assert lead.post(f"{PAGE}/{number}/approve").status_code == 403
    assert "Your role does not allow this." in lead.post(f"{PAGE}/{number}/reject", via=PAGE).text
    for address in (PAGE, f"{PAGE}/{number}"):
        assert agent.get(address).status_code == 403
    for address in ("propose", f"{number}/again", f"{number}/approve", f"{number}/reject"):
        assert agent.post(f"{PAGE}/{address}").status_code == 403
    assert status(desk, number) == "proposed"


def test_it_takes_effect_at_the_moment_that_was_chosen_in_hong_kong(desk: Desk, colleague: Make) -> None:
    lead, approver = colleague(Role.LEAD), colleague(Role.APPROVER)
    number, before = proposal_of(desk, lead.id), desk.published.id
    approver.post(f"{PAGE}/{number}/approve", via=PAGE, since="2023-05-10T09:00")
    assert desk.published.id == before
    desk.clock.advance(days=1)
    assert desk.published.id == number


@pytest.mark.parametrize("since", ["2020-01-01T00:00", "tomorrow"])
def test_a_moment_that_has_passed_or_is_none_is_refused(desk: Desk, colleague: Make, since: str) -> None:
    lead, approver = colleague(Role.LEAD), colleague(Role.APPROVER)
    number = proposal_of(desk, lead.id)
    assert 'class="notice bad"' in approver.post(f"{PAGE}/{number}/approve", via=PAGE, since=since).text
    assert status(desk, number) == "proposed"


def test_going_back_is_a_proposal_that_another_person_approves(desk: Desk, colleague: Make) -> None:
    lead, approver = colleague(Role.LEAD), colleague(Role.APPROVER)
    first, number = desk.published.id, proposal_of(desk, lead.id)
    approver.post(f"{PAGE}/{number}/approve", via=PAGE)
    desk.clock.advance(minutes=1)
    assert "Proposed." in lead.post(f"{PAGE}/{first}/again", via=PAGE).text
    approver.post(f"{PAGE}/{number + 1}/approve", via=PAGE)
    assert desk.published.id == number + 1
    assert desk.published.content["wordings"]["distress"]["texts"]["en"]["text"] == "<distress en>"


def test_a_proposal_is_rejected_or_taken_back(desk: Desk, colleague: Make) -> None:
    lead, approver = colleague(Role.LEAD), colleague(Role.APPROVER)
    mine, other = proposal_of(desk, lead.id), proposal_of(desk, approver.id)
    lead.post(f"{PAGE}/{mine}/reject", via=PAGE)
    approver.post(f"{PAGE}/{other}/reject", via=PAGE)
    assert (status(desk, mine), status(desk, other)) == ("rejected", "rejected")


def test_the_files_are_proposed_once(desk: Desk, colleague: Make) -> None:
    lead = colleague(Role.LEAD)
    assert "Proposed." in lead.post(f"{PAGE}/propose", via=PAGE).text
    assert "proposed already" in lead.post(f"{PAGE}/propose", via=PAGE).text


def test_a_publication_that_is_none_is_not_found(desk: Desk, colleague: Make) -> None:
    assert colleague(Role.LEAD).get(f"{PAGE}/999").status_code == 404
