"""Publications: two people, immutable, in force from a moment, rolled back by a new approval."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.base.database import Database
from bot.base.errors import BadInput, IllegalMove, NotPublished, Tampered
from bot.conversations.speaking import publication
from bot.conversations.speaking.publication import Library
from tests.make import FakeClock
from tests.people import publish, small_content


def propose(database: Database, clock: FakeClock, by: str = "ada", **changed: object) -> int:
    with database.writing() as session:
        return publication.propose(session, small_content(**changed), by=by, at=clock()).id


def approve(database: Database, clock: FakeClock, publication_id: int, by: str = "ben", in_hours: float = 0) -> None:
    with database.writing() as session:
        publication.approve(session, publication_id, by=by, at=clock(), effective_at=clock() + timedelta(hours=in_hours))


def in_force(database: Database, clock: FakeClock, library: Library | None = None) -> int:
    with database.reading() as session:
        return (library or Library()).current(session, clock()).id


def test_a_proposal_is_not_said(database: Database, clock: FakeClock) -> None:
    propose(database, clock)
    with pytest.raises(NotPublished):
        in_force(database, clock)


@pytest.mark.parametrize("same", ["ada", "ADA", " Ada "])
def test_who_proposed_may_not_approve(database: Database, clock: FakeClock, same: str) -> None:
    proposed = propose(database, clock)
    with pytest.raises(BadInput, match="another person"):
        approve(database, clock, proposed, by=same)
    with pytest.raises(NotPublished):
        in_force(database, clock)


def test_a_publication_is_approved_once(database: Database, clock: FakeClock) -> None:
    proposed = propose(database, clock)
    approve(database, clock, proposed)
    with pytest.raises(IllegalMove):
        approve(database, clock, proposed, by="cleo")


def test_what_does_not_exist_cannot_be_approved(database: Database, clock: FakeClock) -> None:
    with pytest.raises(BadInput, match="no proposal 99"):
        approve(database, clock, 99)


def test_a_publication_takes_over_at_its_moment_in_every_process(database: Database, clock: FakeClock) -> None:
    library = Library()
    first = propose(database, clock)
    approve(database, clock, first)
    second = propose(database, clock)
    approve(database, clock, second, in_hours=2)
    assert in_force(database, clock, library) == first
    clock.advance(hours=2)
    assert in_force(database, clock, library) == second


def test_a_roll_back_is_a_new_approval_of_the_old_content_by_another_person(database: Database, clock: FakeClock) -> None:
    first = publish(database, small_content(), clock())
    clock.advance(minutes=1)
    publish(database, small_content(facts={"f": {"value": "wrong"}}), clock())
    clock.advance(minutes=1)
    with database.writing() as session:
        again = publication.propose_again(session, first, by="ada", at=clock()).id
    with pytest.raises(BadInput, match="another person"):
        approve(database, clock, again, by="ada")
    approve(database, clock, again)
    with database.reading() as session:
        library = Library()
        assert library.current(session, clock()).id == again
        assert library.get(session, again).content == library.get(session, first).content


def test_only_what_was_published_can_be_gone_back_to(database: Database, clock: FakeClock) -> None:
    proposed = propose(database, clock)
    for number in (proposed, 99):
        with database.writing() as session, pytest.raises(BadInput, match="no publication"):
            publication.propose_again(session, number, by="ada", at=clock())


def test_a_proposal_that_was_overtaken_must_be_made_again(database: Database, clock: FakeClock) -> None:
    old = propose(database, clock)
    publish(database, small_content(facts={"f": {"value": "newer"}}), clock())
    with pytest.raises(BadInput, match="propose again"):
        approve(database, clock, old)


def test_a_publication_cannot_take_effect_in_the_past(database: Database, clock: FakeClock) -> None:
    with pytest.raises(BadInput, match="past"):
        approve(database, clock, propose(database, clock), in_hours=-1)


def test_a_rejected_proposal_is_never_said(database: Database, clock: FakeClock) -> None:
    proposed = propose(database, clock)
    with database.writing() as session:
        publication.reject(session, proposed, by="ben", at=clock())
    with pytest.raises(IllegalMove):
        approve(database, clock, proposed)
    with pytest.raises(NotPublished):
        in_force(database, clock)


def test_a_changed_content_is_noticed_and_not_said(database: Database, clock: FakeClock) -> None:
    publish(database, small_content(), clock())
    with database.writing() as session:
        session.execute(text("UPDATE publications SET content = replace(content, 'apology', 'apologee')"))
    with pytest.raises(Tampered):
        in_force(database, clock)


def test_a_text_that_cannot_be_said_is_refused_with_its_name(database: Database, clock: FakeClock) -> None:
    content = small_content()
    content["wordings"]["apology"]["texts"]["en"]["text"] = "Sorry. {{ facts.no_such_fact }}"
    content["wordings"]["clarify"]["texts"]["en"]["text"] = "Sorry. {% if %}"
    with database.writing() as session, pytest.raises(BadInput) as raised:
        publication.propose(session, content, by="ada", at=clock())
    assert "apology: en" in str(raised.value)
    assert "clarify: en" in str(raised.value)
