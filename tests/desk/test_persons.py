"""A contact is changed by two people of the desk, and the one before really hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from bot.base.audit import AuditEntry
from bot.base.errors import BadInput, OutcomeUnknown, TemporaryFailure
from bot.base.languages import Language
from bot.channels.base import Outgoing, Sent
from bot.desk.persons import contacts, told
from bot.desk.persons.models import ContactNote, NoteStatus
from bot.desk.staff import approvals
from bot.desk.staff.roles import Role
from bot.patients.disclosure import HoldReason, hold, is_held
from bot.patients.finding import Found, address_of, usable_contacts
from bot.patients.models import ContactPoint
from tests.desk.conftest import Desk
from tests.desk.onfile import NEW, OLD, OTHER, WHY, person_on_file
from tests.people import publish


@dataclass
class Post:
    """A channel that keeps what it is given, or fails as told."""

    given: list[Outgoing] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Sent:
        if self.fails:
            raise self.fails.pop(0)
        self.given.append(outgoing)
        return Sent(provider_id="P1")


def points(desk: Desk, person_id: int) -> dict[str, int]:
    with desk.database.reading() as session:
        return {address_of(point, desk.vault): point.id for point in usable_contacts(session, person_id)}


def ask(desk: Desk, person_id: int, by: int, value: str = NEW, replaces: str | None = OLD) -> int:
    old = points(desk, person_id)[replaces] if replaces else None
    with desk.database.writing() as session:
        made = contacts.ask_change(session, desk.vault, person_id, value, replaces=old, reason=WHY, by=by, at=desk.clock())
        return made.id


def agree(desk: Desk, request: int, by: int) -> None:
    with desk.database.writing() as session:
        agreed = approvals.approve(session, desk.vault, request, by=by, at=desk.clock())
        contacts.carry_out_change(session, desk.vault, desk.index, agreed, desk.clock())


def changed(desk: Desk, **flags: Any) -> int:
    person_id = person_on_file(desk, **flags)
    agree(desk, ask(desk, person_id, desk.colleague(Role.LEAD)), desk.colleague(Role.PRIVACY_OFFICER))
    return person_id


def send(desk: Desk, **channels: Post) -> int:
    own = {"sms": "+85264500001", "email": "desk@clinic.example"}
    return told.send_notes(desk.database, desk.vault, desk.library, channels, own, desk.clock)  # type: ignore[arg-type]


def notes(desk: Desk) -> list[ContactNote]:
    with desk.database.reading() as session:
        return list(session.scalars(select(ContactNote).order_by(ContactNote.id)))


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk that has words for the note."""
    content = dict(desk.published.content)
    texts = {one.value: {"text": f"<contact_changed {one.value}>", "short": "<short>"} for one in Language}
    wording = {"level": "public", "label": {}, "next": [], "texts": texts}
    wordings = {**content["wordings"], told.WORDING: wording, told.SUBJECT: wording}
    publish(desk.database, {**content, "wordings": wordings}, desk.clock())
    return desk


def test_whoever_asked_cannot_agree_and_nothing_is_changed(desk: Desk) -> None:
    lead, person_id = desk.colleague(Role.LEAD), person_on_file(desk)
    with pytest.raises(BadInput, match="another person"):
        agree(desk, ask(desk, person_id, lead), lead)
    assert set(points(desk, person_id)) == {OLD, OTHER}
    assert notes(desk) == []


def test_an_agent_may_neither_ask_nor_agree(desk: Desk) -> None:
    agent, person_id = desk.colleague(Role.AGENT), person_on_file(desk)
    with pytest.raises(BadInput, match="role"):
        ask(desk, person_id, agent)
    with pytest.raises(BadInput, match="role"):
        agree(desk, ask(desk, person_id, desk.colleague(Role.LEAD)), agent)
    assert set(points(desk, person_id)) == {OLD, OTHER}


def test_the_old_contact_and_another_hear_of_it_over_their_channels_and_the_new_one_does_not(desk: Desk) -> None:
    person_id, sms, email = changed(desk), Post(), Post()
    assert set(points(desk, person_id)) == {NEW, OTHER}
    assert send(desk, sms=sms, email=email) == 2
    assert [(one.their, one.text) for one in sms.given] == [(OLD, "<short>")]
    assert [(one.their, one.text) for one in email.given] == [(OTHER, "<contact_changed zh-Hant>")]
    assert [one.letter for one in email.given] == [{"title": "<contact_changed zh-Hant>"}]
    assert {note.status for note in notes(desk)} == {NoteStatus.SENT}
    assert send(desk, sms=sms, email=email) == 0


def test_a_note_that_was_not_taken_is_tried_again_and_one_that_broke_off_is_not(desk: Desk) -> None:
    changed(desk)
    sms, email = Post(fails=[TemporaryFailure("busy")]), Post(fails=[OutcomeUnknown("cut")])
    assert send(desk, sms=sms, email=email) == 0
    desk.clock.advance(minutes=5)
    assert send(desk, sms=sms, email=email) == 1
    assert [note.status for note in notes(desk)] == [NoteStatus.SENT, NoteStatus.UNKNOWN]


def test_a_sender_that_died_in_the_call_leaves_a_note_that_is_not_sent_again(desk: Desk) -> None:
    changed(desk)
    with desk.database.writing() as session:
        for note in session.scalars(select(ContactNote)):
            note.status, note.lease_until = NoteStatus.SUBMITTING.value, desk.clock()
    post = Post()
    assert send(desk, sms=post, email=post) == 0
    assert post.given == []
    assert {note.status for note in notes(desk)} == {NoteStatus.UNKNOWN}


def test_a_person_under_protection_and_a_way_that_is_ruled_out_get_no_note(desk: Desk) -> None:
    changed(desk, protected=True)
    assert notes(desk) == []
    changed(desk, not_by="sms")
    assert [note.channel for note in notes(desk)] == ["email"]


def test_only_a_safe_contact_is_told_where_there_is_one(desk: Desk) -> None:
    person_id = person_on_file(desk)
    with desk.database.writing() as session:
        safe = session.get_one(ContactPoint, points(desk, person_id)[OTHER])
        safe.safe = True
    lead, officer = desk.colleague(Role.LEAD), desk.colleague(Role.PRIVACY_OFFICER)
    agree(desk, ask(desk, person_id, lead, replaces=None), officer)
    assert [note.channel for note in notes(desk)] == ["email"]


def test_what_was_replaced_still_finds_whose_contact_was_changed_for_a_week(desk: Desk) -> None:
    person_id = changed(desk)
    with desk.database.reading() as session:
        assert told.changed_lately(session, desk.index, Found.PHONE, OLD, desk.clock()) == [person_id]
        assert told.changed_lately(session, desk.index, Found.PHONE, NEW, desk.clock()) == []
    desk.clock.advance(days=8)
    with desk.database.reading() as session:
        assert told.changed_lately(session, desk.index, Found.PHONE, OLD, desk.clock()) == []


def test_a_lead_lifts_a_hold_with_a_reason_and_an_agent_does_not(desk: Desk) -> None:
    person_id = person_on_file(desk)
    with desk.database.writing() as session:
        hold(session, person_id, HoldReason.IDENTITY_DOUBTED, desk.clock())
    for by, reason in ((desk.colleague(Role.AGENT), WHY), (desk.colleague(Role.LEAD), "no")):
        with pytest.raises(BadInput), desk.database.writing() as session:
            contacts.lift_hold(session, desk.vault, person_id, reason=reason, by=by, at=desk.clock())
    with desk.database.reading() as session:
        assert is_held(session, person_id)
    lead = desk.colleague(Role.LEAD)
    with desk.database.writing() as session:
        contacts.lift_hold(session, desk.vault, person_id, reason=WHY, by=lead, at=desk.clock())
    with desk.database.reading() as session:
        assert not is_held(session, person_id)
        assert "hold.lifted" in session.scalars(select(AuditEntry.kind)).all()
