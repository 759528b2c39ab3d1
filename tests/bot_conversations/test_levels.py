"""A verified wording is said to nobody who has not shown who they are, by whichever door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.base.database import Database
from bot.base.errors import NotPublished, Withheld
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations import threads
from bot.conversations.speaking import wording
from bot.conversations.speaking.levels import Level, Verified
from bot.conversations.speaking.publication import Published
from bot.conversations.speaking.replies import Said, write_reply
from bot.conversations.transcript import lines_after
from tests.make import FakeClock
from tests.people import publish, small_content

SECRET = "what_is_on_file"


def content() -> dict[str, object]:
    small = small_content()
    small["wordings"][SECRET] = {**small["wordings"]["what_happened"], "level": "verified", "next": []}
    return small


class Door:
    """Somebody who says a wording in a session of a thread, with or without a proof."""

    def __init__(self, database: Database, vault: Vault, clock: FakeClock) -> None:
        self.database, self.vault, self.clock = database, vault, clock
        self.published = Published(publish(database, content(), clock()), content())
        with database.writing() as session:
            self.thread_id = threads.open_thread(session, channel="web", address_index="i.1.x", language="en", at=clock()).id
            self.session_id = threads.session_for(session, self.thread_id, clock()).id

    def says(self, proof: Verified | None, names: Sequence[str] = (SECRET,)) -> list[str]:
        with self.database.writing() as session:
            write_reply(
                session,
                self.vault,
                self.published,
                Said(names, Language.EN, "web", verified=proof),
                thread_id=self.thread_id,
                session_id=self.session_id,
                turn_id=None,
                at=self.clock(),
            )
        return self.read()

    def read(self) -> list[str]:
        with self.database.reading() as session:
            return [line.text for line in lines_after(session, self.vault, self.thread_id, 0)]


@pytest.fixture
def door(database: Database, vault: Vault, clock: FakeClock) -> Door:
    return Door(database, vault, clock)


def proof(door: Door, **changed: object) -> Verified:
    right = {"session_id": door.session_id, "person_id": 7, "until": door.clock() + timedelta(minutes=30)}
    return Verified(**(right | changed))  # type: ignore[arg-type]


def test_who_has_shown_who_they_are_reads_it(door: Door) -> None:
    assert len(door.says(proof(door))) == 1


def test_a_stranger_reads_nothing_and_no_line_is_kept(door: Door) -> None:
    with pytest.raises(Withheld):
        door.says(None)
    assert door.read() == []


def test_a_stranger_reads_nothing_hidden_behind_a_public_wording(door: Door) -> None:
    with pytest.raises(Withheld):
        door.says(None, ("what_happened", SECRET))
    assert door.read() == []


def test_a_proof_for_another_session_counts_for_nothing(door: Door) -> None:
    with pytest.raises(Withheld):
        door.says(proof(door, session_id=door.session_id + 1))


def test_a_proof_whose_time_is_over_counts_for_nothing(door: Door) -> None:
    given = proof(door)
    door.clock.advance(minutes=30)
    with pytest.raises(Withheld):
        door.says(given)


@pytest.mark.parametrize("language", Language)
def test_no_language_is_a_way_around(language: Language) -> None:
    with pytest.raises(Withheld):
        wording.render(content(), SECRET, language, "sms", {})
    assert wording.render(content(), SECRET, language, "sms", {}, Level.VERIFIED).text


def test_who_catches_missing_wordings_catches_withheld_ones() -> None:
    assert issubclass(Withheld, NotPublished)
