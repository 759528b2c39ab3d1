"""Letters, calls and public notices: made once, counted, known again when they come back, and in the evidence."""

from __future__ import annotations

import csv
import io
import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import select, update

from bot.base import evidence
from bot.base.errors import BadInput, Tampered
from bot.base.languages import Language
from bot.campaigns import life
from bot.campaigns.approved import ApprovedTexts
from bot.campaigns.models import Notice, NoticeStatus, Obligation, Variant
from bot.campaigns.paper import batches, gathering, public, returns
from bot.campaigns.paper.addressing import lines_of, notice_of, number_of
from bot.campaigns.paper.keeping import LetterKeeping
from bot.campaigns.paper.models import LetterBatch, Medium
from bot.campaigns.phones import calls
from bot.campaigns.phones.models import Outcome, PhoneAttempt
from bot.campaigns.phones.script import STEPS, script, steps
from bot.campaigns.plan import Plan
from bot.campaigns.proof import bundle
from bot.conversations.speaking.publication import Library
from bot.patients import disclosure
from bot.patients.models import ContactPoint, Person, Retirement, Way
from tests.campaigns.house import AUTHOR, OTHER, Clinic
from tests.conftest import Keys
from tests.content import texts
from tests.people import publish

LETTERS = (Way.LETTER, Way.PHONE)


@pytest.fixture
def house(clinic: Clinic) -> Clinic:
    """The clinic with the shipped notices and every fact known."""
    clinic.texts = ApprovedTexts(clinic.database, Library())  # type: ignore[assignment]
    clinic.published = publish(clinic.database, texts.with_all_facts(), clinic.clock())  # type: ignore[attr-defined]
    return clinic


def running(house: Clinic, ladder: tuple[Way, ...] = LETTERS) -> None:
    """A campaign whose first rung waits for the team."""
    with house.database.writing() as session:
        version = f"1.{house.published}"  # type: ignore[attr-defined]
        plan = Plan(ladder=ladder, waves=())
        life.new(session, house.vault, name="first", notice="first_notice", version=version, plan=plan, by=AUTHOR,
                 at=house.clock())  # fmt: skip
    life.submit(house.office(), "first", by=AUTHOR)
    life.approve(house.office(), "first", by=OTHER)
    life.start(house.office(), "first", by=AUTHOR)
    house.works()


def made(house: Clinic, home: Path, size: int = 10, *, registered: bool = False) -> LetterBatch:
    return batches.make(house.office(), home, "first", size=size, registered=registered, by=AUTHOR)


def files(house: Clinic, home: Path, batch: int) -> dict[str, bytes]:
    with house.database.writing() as session:
        return batches.fetch(session, house.office(), home, life.named(session, "first"), batch, by=AUTHOR)


def posted(house: Clinic, batch: int) -> int:
    with house.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        return batches.posted(session, house.office(), campaign, batch, receipt="R-1", by=AUTHOR)


def brought_back(house: Clinic, text: str) -> returns.Imported:
    with house.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        return returns.bring_in(session, house.vault, campaign, text, by=AUTHOR, at=house.clock())


def test_batches_of_a_size_sorted_by_language_with_their_pages_and_lists(house: Clinic, tmp_path: Path) -> None:
    for language in ("zh-Hant", "en", "zh-Hans", "en", "zh-Hant"):
        house.person(language=language, post="Flat 1, 2 Road, Hong Kong")
    running(house)
    first, second = made(house, tmp_path, 3), made(house, tmp_path, 3, registered=True)
    assert [(one.letters, one.registered) for one in (first, second)] == [(3, False), (2, True)]
    got = files(house, tmp_path, first.id)
    rows = list(csv.DictReader(io.StringIO(got[batches.LIST].decode())))
    assert [row["language"] for row in rows] == ["en", "en", "zh-Hans"]
    assert [row["line_2"] for row in rows] == ["Flat 1"] * 3
    reader = PdfReader(io.BytesIO(got[batches.PDF]))
    assert len(reader.pages) == first.pages == sum(int(row["pages"]) for row in rows)
    printed = "".join(page.extract_text() for page in reader.pages)
    assert [row["number"] for row in rows if row["number"] not in printed] == []
    assert f"1 / {rows[0]['pages']}" in printed.replace("\u00a0", " ")


def test_a_batch_is_for_its_owner_alone_and_is_the_same_whenever_it_is_fetched(house: Clinic, tmp_path: Path) -> None:
    house.people(2)
    running(house)
    batch = made(house, tmp_path)
    once = files(house, tmp_path, batch.id)
    house.clock.advance(days=9)
    assert files(house, tmp_path, batch.id) == once
    folder = batches.folder_of(tmp_path, batch)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    (folder / batches.LIST).write_text("other")
    with pytest.raises(Tampered):
        files(house, tmp_path, batch.id)
    with pytest.raises(BadInput, match="No letter waits"):
        made(house, tmp_path)


def test_who_has_died_is_protected_or_was_told_gets_no_letter(house: Clinic, tmp_path: Path) -> None:
    died, guarded, told, kept = house.people(4)
    unprintable = house.person(post="x" * 90)
    running(house)
    with house.database.writing() as session:
        session.execute(update(Person).where(Person.id == died).values(deceased=True))
        session.execute(update(Person).where(Person.id == guarded).values(protected=True))
        session.execute(update(Obligation).where(Obligation.person_id == told).values(status="delivered"))
    assert made(house, tmp_path).letters == 1
    [left] = house.notices(channel="letter", status=NoticeStatus.LISTED.value)
    assert left.person_id == kept
    with house.database.reading() as session:
        because = dict(session.execute(select(Obligation.person_id, Obligation.because)).all())
    assert (because[died], because[guarded], because[unprintable]) == ("deceased", "protected", "unwritable")


def test_posting_settles_people_and_what_comes_back_begins_the_next_rung(house: Clinic, tmp_path: Path) -> None:
    house.people(3)
    running(house)
    batch = made(house, tmp_path)
    assert posted(house, batch.id) == 3
    assert house.counts() == {"posted": 3}
    with pytest.raises(BadInput, match="posted already"):
        posted(house, batch.id)
    one, two, three = (number_of(notice.id) for notice in house.notices(channel="letter"))
    done = brought_back(
        house, f"number,reason\n{one},moved\n{two.lower().replace('-', ' ')},deceased\n{one},moved\nL0000999-00,x\n"
    )
    assert (done.back, done.repeated, dict(done.why)) == (2, 1, {"moved": 1, "deceased": 1})
    assert done.refused == ["row 5: this is no number of a letter, or a digit was misread"]
    assert three not in str(done.refused)


def test_a_returned_letter_goes_on_to_the_phone_list_while_the_campaign_runs(house: Clinic, tmp_path: Path) -> None:
    house.people(2)
    running(house)
    batch = made(house, tmp_path, 1)
    posted(house, batch.id)
    [back] = house.notices(channel="letter", status=NoticeStatus.POSTED.value)
    done = brought_back(house, f"{number_of(back.id)},moved")
    assert (done.again, done.left) == (1, 0)
    house.works()
    [call] = house.notices(channel="phone")
    assert (call.person_id, call.status) == (back.person_id, NoticeStatus.LISTED.value)


def test_the_files_of_a_posted_batch_go_when_their_time_is_over(house: Clinic, tmp_path: Path, keys: Keys) -> None:
    house.people(1)
    running(house)
    batch = made(house, tmp_path)
    posted(house, batch.id)
    house.clock.advance(days=31)
    with house.database.writing() as session:
        assert batches.empty(session, house.office(), tmp_path, house.clock() - batches.KEPT) == 1
    assert not batches.folder_of(tmp_path, batch).exists()
    with pytest.raises(BadInput, match="are gone"):
        files(house, tmp_path, batch.id)
    made_of = bundle.export(house.office(), "first", tmp_path / "proof", keys=keys.audit, heads=None, by=AUTHOR)
    assert made_of.agrees
    assert batch.pdf_sha256 in (tmp_path / "proof" / "log.jsonl").read_text()
    assert evidence.verify(house.database, keys.audit, vault=house.vault).ok


def test_the_worker_removes_them_and_looks_once_an_hour(house: Clinic, tmp_path: Path) -> None:
    house.people(1)
    running(house)
    batch = made(house, tmp_path)
    posted(house, batch.id)
    keeping = LetterKeeping(house.office(), tmp_path, lambda _: False)
    assert keeping.tick() == 0
    house.clock.advance(days=31)
    assert keeping.tick() == 1
    assert not batches.folder_of(tmp_path, batch).exists()
    assert keeping.tick() == 0


def test_while_a_hold_is_on_the_worker_removes_no_letter(house: Clinic, tmp_path: Path) -> None:
    house.people(1)
    running(house)
    batch, holds = made(house, tmp_path), [True]
    posted(house, batch.id)
    keeping = LetterKeeping(house.office(), tmp_path, lambda _: holds[0])
    house.clock.advance(days=31)
    assert keeping.tick() == 0
    assert files(house, tmp_path, batch.id)
    holds[0] = False
    house.clock.advance(hours=2)
    assert keeping.tick() == 1


def test_each_machine_says_only_of_its_own_files_that_they_are_gone(house: Clinic, tmp_path: Path) -> None:
    house.people(2)
    running(house)
    here, elsewhere = made(house, tmp_path / "here", 1), made(house, tmp_path / "elsewhere", 1)
    posted(house, here.id), posted(house, elsewhere.id)
    house.clock.advance(days=31)
    assert LetterKeeping(house.office(), tmp_path / "here", lambda _: False).tick() == 1
    assert files(house, tmp_path / "elsewhere", elsewhere.id)
    assert LetterKeeping(house.office(), tmp_path / "elsewhere", lambda _: False).tick() == 1
    assert not batches.folder_of(tmp_path / "elsewhere", elsewhere).exists()


@given(st.integers(1, 99_999_999), st.integers(0, 8), st.integers(1, 9))
def test_a_misread_digit_is_no_number(notice: int, place: int, by: int) -> None:
    number = number_of(notice)
    assert notice_of(number) == notice
    digits = [at for at, sign in enumerate(number) if sign.isdigit()]
    at = digits[place % len(digits)]
    misread = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert notice_of(misread) is None


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("Flat 1, 2 Road", ["A", "Flat 1", "2 Road"]),
        ("a, b, c, d, e, f, g", ["A", "a, b, c", "d", "e", "f", "g"]),
        ("Flat 1, Tai Po, Block 2, Tai Po, New Territories", ["A", "Flat 1", "Tai Po", "Block 2", "Tai Po", "New Territories"]),
        ("中環，皇后大道中1號", ["A", "中環", "皇后大道中1號"]),
    ],
)
def test_an_address_is_set_in_lines_that_fit_the_window(address: str, lines: list[str]) -> None:
    assert lines_of("A", address) == lines


# ---------------------------------------------------------------- calls


def ring(house: Clinic) -> list[calls.ToRing]:
    with house.database.writing() as session:
        return calls.next_ones(session, house.office(), life.named(session, "first"), most=10, by="wong")


def came(house: Clinic, notice: int, outcome: Outcome) -> str:
    with house.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        return calls.done(session, house.vault, campaign, notice, outcome, again_at=None, by="wong", at=house.clock())


def test_who_may_not_be_rung_any_more_leaves_the_list_for_the_team_or_the_next_rung(house: Clinic) -> None:
    well, dead, held, moved = house.people(4)
    running(house, (Way.PHONE, Way.LETTER))
    with house.database.writing() as session:
        session.get_one(Person, dead).deceased = True
        disclosure.hold(session, held, disclosure.HoldReason.DEATH_REPORTED, house.clock())
        point = session.scalars(select(ContactPoint).join(Notice).where(Notice.person_id == moved)).one()
        point.retired_at, point.retired_because = house.clock(), Retirement.WRONG_PERSON.value
    assert [one.person_id for one in ring(house)] == [well]
    with house.database.reading() as session:
        assert calls.waiting(session, life.named(session, "first")) == 1
        owed = {one.person_id: (one.status, one.because) for one in session.scalars(select(Obligation))}
    assert (owed[dead], owed[held]) == (("manual", "deceased"), ("manual", "held"))
    house.works()
    [letter] = house.notices(channel="letter")
    assert letter.person_id == moved


def rung_by(house: Clinic, who: str, most: int = 2) -> set[int]:
    with house.database.writing() as session:
        return {
            one.notice_id for one in calls.next_ones(session, house.office(), life.named(session, "first"), most=most, by=who)
        }


def test_of_two_who_ask_at_once_each_has_other_people(house: Clinic) -> None:
    house.people(8)
    running(house, (Way.PHONE,))
    start, found = threading.Barrier(4), []

    def ask(who: str) -> None:
        start.wait(60)
        found.append(rung_by(house, who))

    agents = [threading.Thread(target=ask, args=(f"staff:{number}",)) for number in range(4)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(60)
    assert [len(one) for one in found] == [2, 2, 2, 2]
    assert len(set().union(*found)) == 8


def test_people_shown_to_one_come_back_by_themselves_or_when_given_back(house: Clinic) -> None:
    house.people(3)
    running(house, (Way.PHONE,))
    mine = rung_by(house, "wong")
    [other] = rung_by(house, "lee")
    assert rung_by(house, "wong") == mine, "a browser that closed loses nobody"
    with pytest.raises(BadInput, match="A colleague has this person"):
        came(house, other, Outcome.TOLD)
    with house.database.writing() as session:
        assert [(one.by, one.people) for one in calls.held_by(session, life.named(session, "first"), house.clock())] == [
            ("lee", 1),
            ("wong", 2),
        ]
        assert calls.give_back(session, house.vault, whose="lee", by="lead", at=house.clock()) == 1
    assert rung_by(house, "wong", 3) == {*mine, other}
    house.clock.advance(seconds=calls.HELD_S + 1)
    assert rung_by(house, "lee", 3) == {*mine, other}


def test_while_a_campaign_is_paused_nobody_is_rung_and_no_letter_is_made(house: Clinic, tmp_path: Path) -> None:
    house.people(1)
    running(house, (Way.PHONE,))
    with house.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        life.hold(session, house.vault, campaign, authority="The police", until=None, by=AUTHOR, at=house.clock())
    with pytest.raises(BadInput, match="not under way"):
        ring(house)
    with pytest.raises(BadInput, match="not under way"):
        made(house, tmp_path)


def test_who_was_told_is_settled_and_leaves_the_list(house: Clinic) -> None:
    house.people(2)
    running(house, (Way.PHONE,))
    first, second = ring(house)
    assert first.number.startswith("+8526")
    assert came(house, first.notice_id, Outcome.TOLD) == "Told: nothing more is owed."
    assert [one.notice_id for one in ring(house)] == [second.notice_id]
    with pytest.raises(BadInput, match="not on the list"):
        came(house, first.notice_id, Outcome.TOLD)


def test_nobody_answering_is_rung_again_later_and_after_four_calls_the_next_rung_begins(house: Clinic) -> None:
    house.people(1)
    running(house, (Way.PHONE, Way.LETTER))
    for _ in range(calls.TRIES):
        [one] = ring(house)
        came(house, one.notice_id, Outcome.NO_ANSWER)
        assert ring(house) == []
        house.clock.advance(hours=5)
    house.works()
    assert [one.status for one in house.notices(channel="letter")] == [NoticeStatus.LISTED.value]
    with house.database.reading() as session:
        assert len(session.scalars(select(PhoneAttempt)).all()) == calls.TRIES


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.DECEASED, "manual"), (Outcome.WRONG_NUMBER, "open"), (Outcome.REFUSED, "open"), (Outcome.DEAD_LINE, "open")],
)
def test_every_other_outcome_goes_on_or_is_left_to_the_team(house: Clinic, outcome: Outcome, state: str) -> None:
    house.people(1)
    running(house, (Way.PHONE, Way.LETTER))
    [one] = ring(house)
    came(house, one.notice_id, outcome)
    assert house.counts() == {state: 1}
    assert house.counts(Notice) == {"failed": 1}


def test_that_numbers_were_shown_and_what_came_of_calls_is_in_the_evidence(house: Clinic, tmp_path: Path, keys: Keys) -> None:
    house.people(1)
    running(house, (Way.PHONE,))
    [one] = ring(house)
    came(house, one.notice_id, Outcome.TOLD)
    bundle.export(house.office(), "first", tmp_path / "proof", keys=keys.audit, heads=None, by=AUTHOR)
    log = (tmp_path / "proof" / "log.jsonl").read_text()
    assert {"campaign.phone_numbers_shown", "notice.called"} <= {json.loads(line)["kind"] for line in log.splitlines()}
    assert one.number not in log


@pytest.mark.parametrize("language", [Language.EN, Language.ZH_HANT, Language.ZH_HANS])
def test_the_script_says_every_step_in_each_language_and_asks_for_nothing_stolen(house: Clinic, language: Language) -> None:
    version = f"1.{house.published}"  # type: ignore[attr-defined]
    with house.database.reading() as session:
        said = script(session, version, language, Variant.STANDARD, name="CHAN", caller="Wong")
        neutral = script(session, version, language, Variant.NEUTRAL, name="CHAN", caller="Wong")
    assert tuple(said) == STEPS
    assert all(steps(language).values())
    clinic = texts.with_all_facts()["facts"]["clinic_name"]["value"][language.value]
    assert clinic in said["who"]
    assert clinic not in " ".join(neutral.values())
    assert clinic not in said["voicemail"]
    assert clinic not in said["somebody_else"]


# ---------------------------------------------------------------- the public


def test_a_public_notice_stands_for_those_left_and_is_kept_with_its_digest(house: Clinic, tmp_path: Path, keys: Keys) -> None:
    house.person(email=None, mobile=None, post=None)
    house.people(1)
    running(house)
    scan = tmp_path / "page.pdf"
    scan.write_bytes(b"what stood there")
    with house.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        row = public.publish(
            session, house.office(), tmp_path, campaign, medium=Medium.NEWSPAPER, place="The Morning Post, page 3",
            since=house.clock(), until=None, file=scan, by=AUTHOR,
        )  # fmt: skip
        assert (row.people, public.path_of(tmp_path, row).read_bytes()) == (1, b"what stood there")
    assert house.counts() == {"substitute": 1, "open": 1}
    bundle.export(house.office(), "first", tmp_path / "proof", keys=keys.audit, heads=None, by=AUTHOR)
    assert row.sha256 in (tmp_path / "proof" / "log.jsonl").read_text()


def test_a_public_notice_that_does_not_stand_yet_is_not_recorded(house: Clinic, tmp_path: Path) -> None:
    house.people(1)
    running(house)
    scan = tmp_path / "page.pdf"
    scan.write_bytes(b"x")
    with house.database.writing() as session, pytest.raises(BadInput, match="once it stands"):
        public.publish(
            session, house.office(), tmp_path, life.named(session, "first"), medium=Medium.WEBSITE, place="x",
            since=house.clock.advance(days=1).replace(year=2030), until=None, file=scan, by=AUTHOR,
        )  # fmt: skip


def test_letters_that_wait_are_counted(house: Clinic) -> None:
    house.people(3)
    running(house)
    with house.database.reading() as session:
        assert gathering.count(session, life.named(session, "first").id) == 3


@dataclass
class Overtaken:
    """A database over which somebody pauses the campaign before the so many-th transaction."""

    house: Clinic
    before: int

    def writing(self) -> Any:
        self.before -= 1
        if self.before == 0:
            with self.house.database.writing() as session:
                campaign = life.named(session, "first", lock=True)
                life.pause(session, self.house.vault, campaign, by=AUTHOR, why="a wrong word", at=self.house.clock())
        return self.house.database.writing()


def test_a_batch_under_way_while_the_campaign_is_paused_is_not_kept(house: Clinic, tmp_path: Path) -> None:
    house.people(2)
    running(house)
    # The first takes the lease, the second gathers; the pages are set before the third.
    office = replace(house.office(), database=cast("Any", Overtaken(house, before=3)))
    with pytest.raises(BadInput, match="not under way"):
        batches.make(office, tmp_path, "first", size=10, registered=False, by=AUTHOR)
    assert house.now().status == "paused"
    with house.database.reading() as session:
        assert batches.all_of(session, house.now()) == []
        assert gathering.count(session, house.now().id) == 2
    assert not list(tmp_path.rglob("*.pdf"))
    with house.database.writing() as session:
        life.resume(session, house.vault, life.named(session, "first", lock=True), by=AUTHOR, at=house.clock())
    assert made(house, tmp_path).letters == 2
